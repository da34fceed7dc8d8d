/** The observer thread of a worker: its own event loop turns while the main one is blocked. `observer.ts` starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import { machineMs } from './loop-stats.js';
import { openManagement } from './management.js';
import type { ObserverData, Ping } from './observer.js';
import type { Series } from './request-stats.js';
import { viewSharedState } from './shared-state.js';
import { createSnapshots } from './snapshot.js';
import { createThreadLog } from './thread-log.js';
import { watch } from './watch.js';

const data = workerData as ObserverData;
const view = viewSharedState(data.memory);
const log = createThreadLog(data.log);
const series = [...(data.metrics?.series ?? [])];
const snapshots =
  data.metrics && createSnapshots({ ...data.metrics, series, view, blockedMs: () => watching.blockedMs() });
let wake = (): void => undefined;

parentPort?.on('message', (message: 'wake' | Series) => {
  if (message === 'wake') wake();
  else series.push(message);
});
const watching = watch({
  ...data,
  view,
  log,
  ping: number => parentPort?.postMessage([number, machineMs()] satisfies Ping),
  onWake: call => (wake = call),
  onTurn: () => snapshots?.turned(),
});
if (snapshots !== undefined && data.metrics !== undefined)
  openManagement({ ...data.metrics, own: snapshots.take, controlSocket: data.controlSocket, log });
