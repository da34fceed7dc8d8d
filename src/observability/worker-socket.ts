/** A worker's own socket in the folder of its service: a process that may open it gets the state of this worker. */
import { chmodSync, rmSync } from 'node:fs';
import http, { type Server } from 'node:http';
import type { Diagnostics } from '../diagnostics/diagnose.js';
import { answerOrder } from '../diagnostics/over-socket.js';
import { LOG_PATH, type LogTail } from '../live/log-tail.js';
import { answerJson } from './json-http.js';
import { openServiceFolder, serviceFolderFailure, socketOf } from './service-folder.js';
import type { Snapshot } from './snapshot.js';

export interface WorkerSocketNeeds {
  readonly folder: string;
  readonly slot: number;
  own(): Snapshot;
  readonly diagnose: Diagnostics['diagnose'];
  readonly logTail: LogTail;
  /** Why this worker cannot be asked; it serves all the same. */
  failed(what: 'folder' | 'socket', reason: string): void;
}

/** @returns nothing if there is no folder: then nothing can be shared with the siblings either */
export function openWorkerSocket(needs: WorkerSocketNeeds): Server | undefined {
  const { folder, slot, own, diagnose, logTail, failed } = needs;
  const path = socketOf(folder, slot, process.pid);
  try {
    openServiceFolder(folder, path);
    // After the restart of a container a worker may get the pid of one that was killed.
    rmSync(path, { force: true });
  } catch (error) {
    failed('folder', serviceFolderFailure(error as Error, folder));
    return undefined;
  }
  return http
    .createServer((request, response) => {
      if (answerOrder(diagnose, request, response)) return;
      if (request.url === LOG_PATH) {
        // A body that is not read would hide that the client has gone.
        request.resume();
        return logTail.follow(response);
      }
      answerJson(response, 200, own());
    })
    .on('error', error => failed('socket', serviceFolderFailure(error, folder)))
    .on('listening', () => chmodSync(path, 0o600))
    .listen({ path, exclusive: true });
}
