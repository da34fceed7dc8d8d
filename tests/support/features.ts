/** Our worker with features of a test's own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, ROOT } from './processes.js';

/**
 * A program that runs the built worker.
 * @param features a list in JavaScript; it may use `logger`, and `resource(name, more)`, which logs its `open` and `close`
 */
export function workerWith(features: string): string {
  const file = join(folder(), 'index.js');
  writeFileSync(
    file,
    `const { runWorker } = require(${JSON.stringify(join(ROOT, 'dist', 'worker', 'main.js'))});
     const { logger } = require(${JSON.stringify(join(ROOT, 'dist', 'utils', 'logger.js'))});
     const resource = (name, more) => ({
       name,
       async open() { logger.info('open ' + name); return name; },
       async close() { logger.info('close ' + name); },
       ...more,
     });
     runWorker({ features: ${features} });`,
  );
  return file;
}
