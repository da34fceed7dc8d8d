/** The clock of a service, set by libfaketime (Debian's package `libfaketime`). */
import { existsSync, renameSync, writeFileSync } from 'node:fs';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

export class FakeClock {
  readonly env: Readonly<Record<string, string>>;
  private readonly path: string;

  /** @param path of the file that says how far the clock is ahead */
  constructor(path: string) {
    this.path = path;
    this.set(0);
    this.env = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_CACHE_DURATION: '1',
      // As when a clock is really set: timers and the times of files are not affected.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  static isInstalled(): boolean {
    return existsSync(LIBRARY);
  }

  /** @param seconds how far it is ahead of the system's; it takes a second until all processes know */
  set(seconds: number): void {
    writeFileSync(`${this.path}.new`, seconds < 0 ? String(seconds) : `+${seconds}`);
    renameSync(`${this.path}.new`, this.path);
  }
}
