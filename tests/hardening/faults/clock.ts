/** The clock of the system is set while the service runs. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from '../../support/processes.js';
import { pause, type Fault, type Trial } from './fault.js';
import type { Setting } from './service.js';

/** Debian's package `libfaketime`. */
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

const needsFaketime = (): string | undefined =>
  existsSync(LIBRARY) ? undefined : `needs libfaketime (${LIBRARY})`;

const clockFile = (folder: string): string => join(folder, 'clock');

/** Seconds that the clock of the service is ahead. */
function set(folder: string, seconds: number): void {
  const path = clockFile(folder);
  writeFileSync(`${path}.new`, seconds < 0 ? String(seconds) : `+${seconds}`);
  renameSync(`${path}.new`, path);
}

function withClock(folder: string): Setting {
  set(folder, 0);
  return {
    env: {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: clockFile(folder),
      FAKETIME_CACHE_DURATION: '1',
      // A step changes CLOCK_REALTIME only.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  };
}

const step = (seconds: number) =>
  async function inflict({ service, expect }: Trial): Promise<void> {
    set(service.folder, seconds);
    await pause(3_000);
    const { headers } = await request(service.port, '/health');
    const ahead = (Date.parse(headers.date ?? '') - Date.now()) / 1_000;
    expect(Math.abs(ahead - seconds) < 10, `its clock is ${ahead} s ahead, expected ${seconds} s`);
    if (service.host !== 'native') return;
    const { code, text } = await service.command('reload');
    expect(code === 0, `reload exited with ${code}: ${text}`);
  };

export const CLOCK: readonly Fault[] = [
  {
    name: 'clock-forward',
    what: 'The clock is set an hour forward; natively a reload',
    under: ['native', 'PM2', 'alone'],
    needs: needsFaketime,
    setting: withClock,
    inflict: step(3_600),
    healsWithinMs: 5_000,
    heals: 'no harm',
  },
  {
    name: 'clock-back',
    what: 'The clock is set an hour back; natively a reload',
    under: ['native', 'PM2', 'alone'],
    needs: needsFaketime,
    setting: withClock,
    inflict: step(-3_600),
    healsWithinMs: 5_000,
    heals: 'no harm',
  },
];
