/** One worker: `node dist/index.js`, alone, under PM2 or under the native supervisor. */
import { lifecycle } from './worker/shortcut.js';

void lifecycle().runWorker();
