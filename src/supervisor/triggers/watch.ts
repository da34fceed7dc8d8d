/** `watch`: a rolling reload when files change; for development. */
import type { FSWatcher } from 'chokidar';
import { errors } from '../../errors.js';
import type { Watch } from '../app-file/load.js';
import { watchScope } from '../app-file/watch-patterns.js';
import type { Line } from '../report/narrate.js';

/**
 * @returns a function that ends the watch
 * @throws ServiceError WATCH_LIMIT where the system refuses
 */
export async function watchFiles(
  watched: Watch,
  reload: () => void,
  log: (line: Line) => void,
): Promise<() => Promise<void>> {
  // Loaded only by a service that asks for it.
  const { watch } = require('chokidar') as typeof import('chokidar');
  const { roots, isIgnored, isWatched } = watchScope(watched);
  const watcher = watch([...roots], { ...watched.options, ignored: isIgnored, ignoreInitial: true });
  let timer: NodeJS.Timeout | undefined;
  watcher.on('all', (_event, path) => {
    if (!isWatched(path)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      log({ level: 'info', msg: `${path} changed: reloading` });
      reload();
    }, watched.delayMs);
  });
  const end = (): Promise<void> => {
    clearTimeout(timer);
    return watcher.close();
  };
  try {
    await begun(watcher, log);
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

/** Limits of the system; any other failure, an unreadable folder say, leaves the rest watched. */
const LIMITS = new Set(['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Resolves when everything is watched. Each kind of failure is reported once: it may concern thousands of files. */
function begun(watcher: FSWatcher, log: (line: Line) => void): Promise<void> {
  const known = new Set<string>();
  let isBegun = false;
  return new Promise((resolve, reject) => {
    watcher.on('ready', () => {
      isBegun = true;
      resolve();
    });
    watcher.on('error', unknown => {
      const error = unknown as NodeJS.ErrnoException;
      const { code = '', message } = error;
      const isLimit = LIMITS.has(code);
      if (isLimit && !isBegun) return reject(errors.watchLimit(error));
      if (known.has(code)) return;
      known.add(code);
      if (isLimit) log({ level: 'error', msg: errors.watchLimit(error).message });
      else log({ level: 'warn', msg: `Watching files failed: ${message}` });
    });
  });
}
