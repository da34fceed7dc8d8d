/** The pattern of `cron_restart`. */

/** Why this is no pattern; nothing if it is one. */
export function cronProblem(pattern: string): string | undefined {
  const { Cron } = require('croner') as typeof import('croner');
  try {
    new Cron(pattern, { paused: true }).stop();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
