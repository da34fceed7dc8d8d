/** The observer thread of a worker: its own event loop turns while the main one is blocked. `observer.ts` starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ObserverData } from './observer.js';
import { viewSharedState } from './shared-state.js';
import { createThreadLog } from './thread-log.js';
import { watch } from './watch.js';

const data = workerData as ObserverData;
watch({
  ...data,
  view: viewSharedState(data.memory),
  log: createThreadLog(data.log),
  ping: number => parentPort?.postMessage(number),
  onWake: call => void parentPort?.on('message', call),
});
