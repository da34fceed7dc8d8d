/** Our own supervisor, as its users run it: in the foreground, with commands from another terminal. */
import { join } from 'node:path';
import type { Status, WorkerState as NativeState } from '../../../src/supervisor/status.js';
import { CLUSTER, isAlive, start, until, type Running } from '../../support/processes.js';
import type { AppPlace, Driver, Listed, Outcome, WorkerState } from './driver.js';

const STATES: Readonly<Record<NativeState, WorkerState>> = {
  starting: 'starting',
  vacant: 'starting',
  ready: 'serving',
  backoff: 'waiting',
  draining: 'leaving',
  standby: 'starting',
  stopped: 'stopped',
  errored: 'errored',
};

export function nativeDriver({ folder, file, env }: AppPlace): Driver {
  const shell = { RUN_DIR: join(folder, 'run'), ...env };
  const besides: Driver[] = [];
  let environment: string[] = [];
  let supervisor: Running | undefined;

  const give = async (...args: string[]): Promise<Outcome> => {
    const command = start([CLUSTER, ...args, '--config', file, ...environment], shell, folder);
    const { code } = await command.ended;
    return { ok: code === 0, code, text: command.text() };
  };
  const alive = (): boolean => supervisor !== undefined && isAlive(supervisor.pid);

  return {
    async start({ envName, from = folder, launcher = [] } = {}) {
      environment = envName === undefined ? [] : ['--env', envName];
      supervisor = start([CLUSTER, '--config', file, ...environment], shell, from, launcher);
      const { child, text } = supervisor;
      await until(
        () => child.exitCode !== null || /Forking worker|No worker left/.test(text()),
        'the supervisor has taken the service or refused it',
      );
      return { ok: child.exitCode === null, code: child.exitCode, text: text() };
    },
    stop: () => give('stop'),
    reload: () => give('reload'),
    scale: workers => give('scale', String(workers)),
    killWorker: (pid, signal = 'SIGKILL') => void process.kill(pid, signal),
    killSupervisor: (signal = 'SIGKILL') => supervisor?.kill(signal),
    async workers() {
      if (!alive()) return [];
      const { ok, text } = await give('status', '--json');
      if (!ok) return [];
      return (JSON.parse(text) as Status).workers.map(({ pid, state, restarts }): Listed => ({
        pid,
        state: STATES[state],
        restarts,
      }));
    },
    // The supervisor's own lines share the stream; a worker's carry the worker's pid, or are no JSON.
    logs: () =>
      (supervisor?.text() ?? '')
        .split('\n')
        .filter(line => line !== '' && !line.includes(`"pid":${supervisor?.pid ?? 0},`)),
    alive,
    beside(other) {
      const driver = nativeDriver(other);
      besides.push(driver);
      return driver;
    },
    async end() {
      for (const driver of besides) await driver.end();
      if (supervisor === undefined || !alive()) return;
      supervisor.kill('SIGTERM');
      await until(() => !alive(), 'the supervisor has ended').catch((error: unknown) => {
        supervisor?.kill('SIGKILL');
        throw error;
      });
    },
  };
}
