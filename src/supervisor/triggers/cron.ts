/** `cron_restart`: a rolling reload at the given times. */
import { CRON_OPTIONS } from '../app-file/cron-pattern.js';
import type { Line } from '../report/narrate.js';

/** @returns a function that ends the schedule. @throws Error if the pattern is none */
export async function scheduleReloads(
  pattern: string,
  reload: () => void,
  log: (line: Line) => void,
): Promise<() => void> {
  // Loaded only by a service that asks for it.
  const { Cron } = require('croner') as typeof import('croner');
  const job = new Cron(pattern, CRON_OPTIONS, () => {
    log({ level: 'info', msg: `cron_restart (${pattern}): reloading` });
    reload();
  });
  return () => job.stop();
}
