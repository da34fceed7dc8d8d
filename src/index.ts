/**
 * One worker: `node dist/index.js`, alone, under PM2 or under the native supervisor.
 *
 * The build bundles the worker and its packages into one file, which starts faster than two hundred (decision 0006).
 * Without a bundle (the sources), and where other code is loaded beside the worker, the modules are loaded one by one.
 * An agent that this file imports comes first, before anything else.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { isPreloaded } from './platform/preload.js';

const BUNDLE = join(__dirname, 'worker.bundle.js');
const isBundled = existsSync(BUNDLE) && !isPreloaded();

// Node 22.8 and later keep V8's code cache; the build fills it. Elsewhere nothing is cached.
const { enableCompileCache } = module as { enableCompileCache?: (directory: string) => unknown };
if (isBundled) enableCompileCache?.(join(__dirname, '.compile-cache'));

try {
  const { runWorker } = require(isBundled ? BUNDLE : './worker/main.js') as typeof import('./worker/main.js');
  void runWorker();
} catch (error) {
  (require('./worker/load-failure.js') as typeof import('./worker/load-failure.js')).failToLoad(error);
}
