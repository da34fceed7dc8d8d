/** `watch`: a rolling reload when files change; for development. */
import { relative } from 'node:path';
import type { Watch } from '../app-file/load.js';
import type { Line } from '../report/narrate.js';

/** PM2's default: nothing hidden, no packages (Watcher.js: `/[\/\\]\.|node_modules/`). */
const IGNORED = /(^|[/\\])\.|node_modules/;

/** @returns a function that ends the watch */
export async function watchFiles(
  { paths, ignore, delayMs }: Watch,
  reload: () => void,
  log: (line: Line) => void,
): Promise<() => Promise<void>> {
  // Loaded only by a service that asks for it.
  const { watch } = require('chokidar') as typeof import('chokidar');
  let timer: NodeJS.Timeout | undefined;
  const ignored = (path: string): boolean => {
    const name = shortest(paths.map(root => relative(root, path)));
    return IGNORED.test(name) || ignore.some(part => name.includes(part));
  };
  const watcher = watch([...paths], { ignored, ignoreInitial: true });
  watcher.on('all', (_event, path) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      log({ level: 'info', msg: `${path} changed: reloading` });
      reload();
    }, delayMs);
  });
  watcher.on('error', error =>
    log({ level: 'warn', msg: `Watching files failed: ${(error as Error).message}` }),
  );
  return () => {
    clearTimeout(timer);
    return watcher.close();
  };
}

const shortest = (names: readonly string[]): string =>
  names.reduce((least, name) => (name.length < least.length ? name : least));
