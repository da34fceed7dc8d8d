/** Our own supervisor, as its users run it: in the foreground, with commands from another terminal. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Status, WorkerState as NativeState } from '../../../src/supervisor/report/status.js';
import { CLUSTER, start, until, type Running } from '../../support/processes.js';
import { signal, type AppPlace, type Driver, type Listed, type Outcome, type WorkerState } from './driver.js';

const STATES: Readonly<Record<NativeState, WorkerState>> = {
  starting: 'starting',
  vacant: 'starting',
  ready: 'serving',
  backoff: 'waiting',
  draining: 'leaving',
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
  const alive = (): boolean => {
    const { exitCode, signalCode } = supervisor?.child ?? { exitCode: 0, signalCode: null };
    return exitCode === null && signalCode === null;
  };
  const lines = (): string[] => (supervisor?.text() ?? '').split('\n').filter(line => line !== '');
  // The supervisor's own lines share the stream; a worker's carry the worker's pid, or are no JSON.
  const isOwn = (line: string): boolean => line.includes(`"pid":${supervisor?.pid ?? 0},`);
  const starts = (): number => lines().filter(line => isOwn(line) && line.includes('Forking worker ')).length;

  return {
    async start({ envName, from = folder, launcher = [] } = {}) {
      environment = envName === undefined ? [] : ['--env', envName];
      supervisor = start([CLUSTER, '--config', file, ...environment], shell, from, launcher);
      const { child, text } = supervisor;
      // Not `exit`: what a supervisor said before it ended must have been read as well.
      let isOver = false;
      child.once('close', () => (isOver = true));
      await until(
        () => isOver || /Forking worker/.test(text()),
        'the supervisor has taken the service or refused it',
      );
      return { ok: !isOver, code: child.exitCode, text: text() };
    },
    stop: () => give('stop'),
    reload: () => give('reload'),
    scale: workers => give('scale', String(workers)),
    killWorker: (pid, name = 'SIGKILL') => signal(pid, name),
    killSupervisor: (name = 'SIGKILL') => supervisor?.kill(name),
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
    logs: () => lines().filter(line => !isOwn(line)),
    said: () => lines().filter(isOwn),
    starts,
    alive,
    supervisor: () => supervisor?.pid ?? null,
    exitCode: () => supervisor?.child.exitCode ?? null,
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
    traces() {
      // One that was killed could not tidy up: the next one takes over its socket.
      const ranToItsEnd = supervisor !== undefined && supervisor.child.exitCode !== null;
      const socket = join(shell.RUN_DIR, 'supervisor.sock');
      const own = ranToItsEnd && existsSync(socket) ? [socket] : [];
      return [...own, ...besides.flatMap(driver => driver.traces())];
    },
  };
}
