/** The clock of the system is set while the service runs. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FakeClock, FAKETIME, secondsAhead } from '../../support/fake-clock.js';
import type { Fault, Trial } from './fault.js';
import type { Setting } from './service.js';

const needsFaketime = (): string | undefined =>
  FakeClock.isInstalled() ? undefined : `needs libfaketime (${FAKETIME})`;

function withClock(folder: string): Setting {
  const clock = new FakeClock(join(folder, 'clock'));
  return { clock, env: clock.env };
}

const step = (seconds: number) =>
  async function inflict({ service, expect }: Trial): Promise<void> {
    service.setting.clock?.set(seconds);
    await pause(3_000);
    const ahead = await secondsAhead(service.port);
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
