/** The native supervisor as its users run it: in the foreground, with commands from another terminal. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Status, WorkerState as NativeState } from '../../../src/supervisor/report/status.js';
import { CLUSTER, start, until, type Running } from '../../support/processes.js';
import {
  envOption,
  signal,
  type AppLocation,
  type CommandResult,
  type Driver,
  type ListedWorker,
  type ReloadOptions,
  type WorkerState,
} from './driver.js';

const STATES: Readonly<Record<NativeState, WorkerState>> = {
  starting: 'starting',
  vacant: 'starting',
  ready: 'serving',
  hung: 'serving',
  backoff: 'waiting',
  draining: 'draining',
  stopped: 'stopped',
  errored: 'errored',
};

export function nativeDriver({ folder, file, env }: AppLocation): Driver {
  const shell = { RUN_DIR: join(folder, 'run'), ...env };
  const others: Driver[] = [];
  let environment: ReloadOptions = {};
  let supervisor: Running | undefined;

  const command = async (...args: string[]): Promise<CommandResult> => {
    const running = start([CLUSTER, ...args, '--config', file], shell, folder);
    const { code } = await running.ended;
    return { ok: code === 0, code, text: running.text() };
  };
  const supervisorRuns = (): boolean => isRunning(supervisor);

  return {
    async start({ from = folder, launcher = [], ...named } = {}) {
      environment = named;
      supervisor = start([CLUSTER, '--config', file, ...envOption(named)], shell, from, launcher);
      return acceptedOrRefused(supervisor);
    },
    stop: () => command('stop'),
    reload: (options = environment) => command('reload', ...envOption((environment = options))),
    scale: workers => command('scale', String(workers)),
    killWorker: (pid, name = 'SIGKILL') => signal(pid, name),
    killSupervisor: (name = 'SIGKILL') => supervisor?.kill(name),
    async workers() {
      if (!supervisorRuns()) return [];
      const { text } = await command('status', '--json');
      return text.startsWith('{') ? listedIn(text) : [];
    },
    workerLogs: () => linesOf(supervisor).workers,
    supervisorLog: () => linesOf(supervisor).own,
    forkCount: () => linesOf(supervisor).own.filter(line => line.includes('Forking worker ')).length,
    supervisorRuns,
    supervisorPid: () => supervisor?.pid ?? null,
    exitCode: () => supervisor?.child.exitCode ?? null,
    createSecond(app) {
      const driver = nativeDriver(app);
      others.push(driver);
      return driver;
    },
    async end() {
      for (const driver of others) await driver.end();
      if (supervisor === undefined || !supervisorRuns()) return;
      supervisor.kill('SIGTERM');
      await until(() => !supervisorRuns(), 'the supervisor has ended').catch((error: unknown) => {
        supervisor?.kill('SIGKILL');
        throw error;
      });
    },
    leftoverFiles() {
      // A supervisor that was killed leaves its socket to the next one.
      const exited = supervisor !== undefined && supervisor.child.exitCode !== null;
      const socket = join(shell.RUN_DIR, 'supervisor.sock');
      const own = exited && existsSync(socket) ? [socket] : [];
      return [...own, ...others.flatMap(driver => driver.leftoverFiles())];
    },
  };
}

const isRunning = (running: Running | undefined): boolean =>
  running !== undefined && running.child.exitCode === null && running.child.signalCode === null;

/** Resolves when the supervisor forks its first worker, or has ended. */
async function acceptedOrRefused({ child, text }: Running): Promise<CommandResult> {
  // Not `exit`: by then its last lines may not have been read.
  let isClosed = false;
  child.once('close', () => (isClosed = true));
  await until(
    () => isClosed || /Forking worker/.test(text()),
    'the supervisor has accepted or refused the service',
  );
  return { ok: !isClosed, code: child.exitCode, text: text() };
}

/** Supervisor and workers share the stream; a line of a worker has the worker's pid, or is no JSON. */
function linesOf(running: Running | undefined): { readonly own: string[]; readonly workers: string[] } {
  const lines = (running?.text() ?? '').split('\n').filter(line => line !== '');
  const isOwn = (line: string): boolean => line.includes(`"pid":${running?.pid ?? 0},`);
  return { own: lines.filter(isOwn), workers: lines.filter(line => !isOwn(line)) };
}

const listedIn = (status: string): ListedWorker[] =>
  (JSON.parse(status) as Status).workers.map(({ pid, state, restarts }) => ({
    pid,
    state: STATES[state],
    restarts,
  }));
