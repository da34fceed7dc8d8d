/** The clock of a service, set by libfaketime (Debian's package `libfaketime`). */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { request } from './processes.js';

export const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

export class FakeClock {
  readonly env: Readonly<Record<string, string>>;
  private readonly path: string;

  /** @param path of the file that says how far the clock is ahead */
  constructor(path: string) {
    this.path = path;
    this.set(0);
    this.env = {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_CACHE_DURATION: '1',
      // As when a clock is really set: timers and the times of files are not affected.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  static isInstalled(): boolean {
    return existsSync(FAKETIME);
  }

  /** @param seconds how far it is ahead of the system's; it takes a second until all processes know */
  set(seconds: number): void {
    writeFileSync(`${this.path}.new`, seconds < 0 ? String(seconds) : `+${seconds}`);
    renameSync(`${this.path}.new`, this.path);
  }
}

/** How far the clock of the service at this port is ahead of the system's, in seconds. */
export async function secondsAhead(port: number): Promise<number> {
  const { headers } = await request(port, '/health');
  return (Date.parse(headers.date ?? '') - Date.now()) / 1_000;
}
