/** The observer thread of a worker: its own event loop turns while the main one is blocked. `observer.ts` starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import { machineMs } from './loop-stats.js';
import { createDiagnostics } from '../diagnostics/diagnose.js';
import { watchDescriptors } from './descriptors.js';
import { createLogTail } from '../live/log-tail.js';
import { holdManagementPort } from './management.js';
import type { FromThread, ObserverData, ToThread } from './observer.js';
import { viewSharedState } from './shared-state.js';
import { createSnapshots } from './snapshot.js';
import { createThreadLog } from './thread-log.js';
import { watch } from './watch.js';
import { openWorkerSocket } from './worker-socket.js';

const data = workerData as ObserverData;
const view = viewSharedState(data.memory);
const send = (message: FromThread): void => parentPort?.postMessage(message);
const { figures, management } = data;
const logTail =
  figures &&
  createLogTail({ slot: figures.slot, pid: process.pid }, isWanted =>
    send(isWanted ? 'follow log' : 'leave log'),
  );
const log = createThreadLog(data.log, lines => logTail?.add({ lines, dropped: 0 }));
const series = [...(figures?.series ?? [])];
const snapshots =
  figures &&
  createSnapshots({
    ...figures,
    series,
    view,
    blockedMs: () => watching.blockedMs(),
    blockedAt: () => watching.blockedAt(),
  });
const diagnostics =
  figures &&
  createDiagnostics({
    ...data.diagnostics,
    slot: figures.slot,
    serviceFolder: figures.folder,
    log: msg => log('info', msg),
  });
const descriptors = watchDescriptors(msg => log('warn', msg));
let wake = (): void => undefined;

parentPort?.on('message', (message: ToThread) => {
  if (message === 'wake') wake();
  else if ('lines' in message) logTail?.add(message);
  else series.push(message);
});
const watching = watch({
  ...data,
  view,
  log,
  ping: number => send([number, machineMs()]),
  onWake: call => (wake = call),
  onTurn() {
    snapshots?.turned();
    descriptors.look();
  },
  isDiagnosing: () => diagnostics?.isRunning() ?? false,
});
if (figures && snapshots && diagnostics && logTail) {
  const own = snapshots.take;
  const socket = openWorkerSocket({
    ...figures,
    own,
    diagnose: diagnostics.diagnose,
    logTail,
    failed(what, reason) {
      if (management === undefined) return; // only `status` misses it
      const consequence =
        what === 'folder' ? 'No metrics' : `Worker ${process.pid} is missing in the metrics`;
      log('warn', `${consequence}: ${reason}`);
    },
  });
  if (socket !== undefined && management !== undefined)
    holdManagementPort({ ...management, ...figures, own, controlSocket: data.controlSocket, log });
}
