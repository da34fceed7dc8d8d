/** One worker: `node dist/index.js`, alone, under PM2 or under the native supervisor. */
import { runWorker } from './worker/lifecycle.js';

void runWorker();
