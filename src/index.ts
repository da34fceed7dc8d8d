/** One worker: `node dist/index.js`, alone, under PM2 or under the native supervisor. */
// First: what is imported behind it finds its packages there.
import './worker/packages.js';
import { runWorker } from './worker/lifecycle.js';

void runWorker();
