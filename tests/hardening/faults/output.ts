/** Standard output without a reader. */
import { setTimeout as pause } from 'node:timers/promises';
import { pipe } from '../../support/slow-reader.js';
import { type Fault, type Trial } from './fault.js';
import type { Setting } from './service.js';

const STALL_MS = 5_000;

/** More requests than these are never under way, and have no line yet. */
const IN_FLIGHT = 50;

/** Every request is logged. */
const piped = (): Setting => ({ pipe: pipe(), env: { WORKER_LOG_LEVEL: 'info' } });

function pipeOf({ service }: Trial) {
  const { pipe: own } = service.setting;
  if (own === undefined) throw new Error('the service has no pipe');
  return own;
}

export const OUTPUT: readonly Fault[] = [
  {
    name: 'output-closed',
    what: 'The reader of standard output goes away',
    under: ['native', 'alone'],
    setting: piped,
    async inflict(trial) {
      pipeOf(trial).close();
      await pause(2_000);
    },
    healsWithinMs: 2_000,
    heals: 'not needed: lines are lost, requests are not',
  },
  {
    name: 'output-stalled',
    what: 'Standard output is a full pipe for 5 s, with a line for each request',
    under: ['native', 'alone'],
    setting: piped,
    async inflict(trial) {
      const own = pipeOf(trial);
      while (own.read() > 0);
      await pause(STALL_MS);
      const { sent } = trial.client;
      for (const end = performance.now() + 1_000; performance.now() < end; await pause(5))
        while (own.read() > 0);
      const lines = own.text().split('\n').slice(0, -1);
      const torn = lines.filter(line => !line.startsWith('{') || !line.endsWith('}'));
      trial.expect(torn.length === 0, `${torn.length} torn lines: ${torn[0]}`);
      const missing = sent - IN_FLIGHT - lines.length;
      trial.expect(missing <= 0, `${missing} of ${sent} requests have no line`);
    },
    healsWithinMs: 2_000,
    heals: 'the lines come when it is read again',
  },
];
