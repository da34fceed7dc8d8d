/** Sockets of workers in the folder of a service, without the workers. */
import { renameSync, rmSync } from 'node:fs';
import http from 'node:http';
import { socketOf } from '../../src/observability/service-folder.js';
import { COUNTERS, GAUGES, type Snapshot } from '../../src/observability/snapshot.js';
import { IDLE } from './snapshots.js';

/** No process has this pid: it is beyond PID_MAX_LIMIT of Linux. */
export const NO_PID = 2 ** 22 + 1;

export interface WorkerSocket {
  /** As in a worker's snapshot; `leaving`: it exits in order as soon as it is asked. */
  phase: Snapshot['phase'] | 'leaving';
  /** As a worker that dies: its socket stays. */
  die(): Promise<void>;
  /** As a worker that exits in order. */
  end(): void;
}

const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map(name => [name, 0])) as Record<Name, number>;

const snapshotOf = (slot: number, pid: number, phase: Snapshot['phase']): Snapshot => ({
  ...IDLE,
  slot,
  pid,
  phase,
  counters: zeros(COUNTERS),
  gauges: zeros(GAUGES),
  requests: [],
});

export async function workerSocket(
  folder: string,
  slot: number,
  pid: number,
  phase: WorkerSocket['phase'] = 'serving',
): Promise<WorkerSocket> {
  const path = socketOf(folder, slot, pid);
  const server = http.createServer((request, response) => {
    if (worker.phase !== 'leaving')
      return void response.end(JSON.stringify(snapshotOf(slot, pid, worker.phase)));
    worker.end();
    request.destroy();
  });
  const worker: WorkerSocket = {
    phase,
    async die() {
      // Closing removes the path that was listened on.
      renameSync(path, `${path}.dead`);
      await new Promise(done => server.close(done));
      renameSync(`${path}.dead`, path);
    },
    end() {
      rmSync(path, { force: true });
      server.close();
    },
  };
  await new Promise<void>(done => server.listen(path, done));
  return worker;
}
