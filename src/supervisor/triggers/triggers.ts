/** What reloads the service by itself: `cron_restart` and `watch`, as the newest generation's app has them. */
import { scheduleReloads } from './cron.js';
import type { App } from '../app-file/load.js';
import type { Line } from '../report/narrate.js';
import { watchFiles } from './watch.js';

export interface Triggers {
  /** From now on by these, and by no others. */
  follow(app: Pick<App, 'cronRestart' | 'watch'>): void;
}

export function createTriggers(reload: () => void, log: (line: Line) => void): Triggers {
  const cron = trigger((pattern: string) => scheduleReloads(pattern, reload, log), failed);
  const watch = trigger((what: NonNullable<App['watch']>) => watchFiles(what, reload, log), failed);

  function failed(error: unknown): void {
    log({ level: 'error', msg: `Reloads by cron_restart or watch have failed: ${(error as Error).message}` });
  }

  return {
    follow(app) {
      cron(app.cronRestart);
      watch(app.watch);
    },
  };
}

/** Begins anew for every setting that is another one than before, when the one before has ended. */
function trigger<T>(
  begin: (setting: T) => Promise<() => unknown>,
  failed: (error: unknown) => void,
): (setting: T | undefined) => void {
  let followed: string | undefined;
  let running: Promise<(() => unknown) | undefined> = Promise.resolve(undefined);

  async function change(setting: T | undefined): Promise<(() => unknown) | undefined> {
    await (
      await running
    )?.();
    return setting === undefined ? undefined : begin(setting);
  }

  return setting => {
    const wanted = JSON.stringify(setting);
    if (wanted === followed) return;
    followed = wanted;
    running = change(setting).catch((error: unknown) => {
      failed(error);
      return undefined;
    });
  };
}
