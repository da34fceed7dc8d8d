/**
 * The pattern of `cron_restart`, with the meaning it has under PM2 7, whose croner is 4.1.97. Ours is 11: two of its
 * options restore the older meaning, and what still differs is refused (docs/decisions/0004-libraries.md).
 */
import type { CronOptions } from 'croner';

/** Day of month *and* day of week must match (`0 0 13 * FRI` is Friday the 13th), and `5/15` is a step from 5 on. */
export const CRON_OPTIONS: CronOptions = { domAndDow: true, sloppyRanges: true, mode: '5-or-6-parts' };

/** @returns why this pattern cannot be used; nothing if it can */
export function cronProblem(pattern: string): string | undefined {
  const { Cron } = require('croner') as typeof import('croner');
  try {
    new Cron(pattern, { ...CRON_OPTIONS, paused: true }).stop();
  } catch (error) {
    return (error as Error).message;
  }
  return differenceToPm2(pattern);
}

/** What croner 11 accepts and reads otherwise than croner 4.1.97. */
function differenceToPm2(pattern: string): string | undefined {
  if (pattern.includes('?'))
    return 'PM2 takes "?" for the second, minute, hour or day of its start: write that number, or "*" for any';
  const fields = pattern.trim().split(/\s+/);
  const open = fields.find(field => field.startsWith('/'));
  if (open !== undefined) return `PM2 hangs over "${open}": write "*${open}"`;
  // Of days, months and weekdays PM2 counts such a step wrongly: 5/13 are the days 6 and 19.
  const step = fields.slice(-3).find(field => /^\w+\//.test(field));
  return step === undefined
    ? undefined
    : `PM2 begins the step "${step}" at another day or month: write a range before the slash, as in "5-31/13"`;
}
