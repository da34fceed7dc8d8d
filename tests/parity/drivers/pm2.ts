/** The locked version of PM2, with its own PM2_HOME. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pm2, type Result } from '../../support/pm2.js';
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

const STATES: Readonly<Record<string, WorkerState>> = {
  launching: 'starting',
  online: 'serving',
  'waiting restart': 'waiting',
  stopping: 'draining',
  stopped: 'stopped',
  errored: 'errored',
};

const resultOf = ({ code, text }: Result): CommandResult => ({ ok: code === 0, code, text });

/** @param pm2 the daemon, for a second service of the same user */
export function pm2Driver(app: AppLocation, pm2 = new Pm2(app.env)): Driver {
  const { folder, file, name } = app;
  let environment: ReloadOptions = {};

  const command = async (...args: string[]): Promise<CommandResult> =>
    resultOf(await pm2.runFrom({ cwd: folder }, ...args));
  const supervisorLog = (): string[] => {
    const log = join(pm2.home, 'pm2.log');
    if (!existsSync(log)) return [];
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter(line => line.includes(`App [${name}:`));
  };

  return {
    async start({ from = folder, launcher = [], ...named } = {}) {
      environment = named;
      return resultOf(await pm2.runFrom({ cwd: from, launcher }, 'start', file, ...envOption(named)));
    },
    stop: () => command('stop', name),
    reload: (options = environment) => command('reload', file, ...envOption((environment = options))),
    scale: workers => command('scale', name, String(workers)),
    killWorker: (pid, how = 'SIGKILL') => signal(pid, how),
    killSupervisor(how = 'SIGKILL') {
      if (pm2.alive) signal(pm2.daemon, how);
    },
    async workers() {
      // Every command of PM2 would start a daemon.
      if (!pm2.alive) return [];
      const all = (await pm2.list()) as (Awaited<ReturnType<Pm2['list']>>[number] & { name: string })[];
      return all
        .filter(listed => listed.name === name)
        .map(({ pid, pm2_env: { status, restart_time: restarts } }): ListedWorker => ({
          pid: pid === 0 ? null : pid,
          state: STATES[status] ?? 'errored',
          restarts,
        }));
    },
    workerLogs: () => pm2.logs(),
    supervisorLog,
    forkCount: () => supervisorLog().filter(line => line.includes('starting in -cluster mode-')).length,
    supervisorRuns: () => pm2.alive,
    supervisorPid: () => (pm2.daemon > 0 ? pm2.daemon : null),
    exitCode: () => null,
    createSecond: other => pm2Driver(other, pm2),
    end: () => pm2.end(),
    leftoverFiles: () => (existsSync(pm2.home) ? [pm2.home] : []),
  };
}
