/** What reloads the service by itself: `cron_restart` and `watch`, as the newest generation's app has them. */
import { isDeepStrictEqual } from 'node:util';
import { scheduleReloads } from './cron.js';
import type { App } from '../app-file/load.js';
import type { Line } from '../report/narrate.js';
import { watchFiles } from './watch.js';

type Settings = Pick<App, 'cronRestart' | 'watch'>;

export interface Triggers {
  /** Begins what is new in these settings, and ends it again. Rejects with a ServiceError if it cannot be done. */
  tryOut(settings: Settings): Promise<void>;
  /** From now on by these, and by no others. What cannot be done is logged. */
  follow(settings: Settings): void;
}

export function createTriggers(reload: () => void, log: (line: Line) => void): Triggers {
  const cron = trigger('cron_restart', scheduleReloads, { reload, log });
  const watch = trigger('watch', watchFiles, { reload, log });
  return {
    async tryOut({ cronRestart, watch: watched }) {
      await cron.tryOut(cronRestart);
      await watch.tryOut(watched);
    },
    follow({ cronRestart, watch: watched }) {
      cron.follow(cronRestart);
      watch.follow(watched);
    },
  };
}

/** What a trigger does when it is due. */
interface Outlets {
  reload(this: void): void;
  log(this: void, line: Line): void;
}

/** @returns a function that ends what was begun */
type Begin<T> = (setting: T, ...outlets: [Outlets['reload'], Outlets['log']]) => Promise<() => unknown>;

const ignore = (): void => undefined;

function trigger<T>(field: string, begin: Begin<T>, { reload, log }: Outlets) {
  let followed: T | undefined;
  let running: Promise<() => unknown> = Promise.resolve(ignore);

  /** What was begun before has to end first. */
  async function change(setting: T | undefined): Promise<() => unknown> {
    const end = await running;
    await end();
    return setting === undefined ? ignore : begin(setting, reload, log);
  }

  return {
    async tryOut(setting: T | undefined): Promise<void> {
      if (setting === undefined || isDeepStrictEqual(setting, followed)) return;
      const end = await begin(setting, ignore, ignore);
      await end();
    },
    follow(setting: T | undefined): void {
      if (isDeepStrictEqual(setting, followed)) return;
      followed = setting;
      running = change(setting).catch((error: unknown) => {
        log({ level: 'error', msg: `${field} is off: ${(error as Error).message}` });
        return ignore;
      });
    },
  };
}
