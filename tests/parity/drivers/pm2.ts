/** The real PM2, the locked version, in a home of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pm2, type Result } from '../../support/pm2.js';
import { signal, type AppPlace, type Driver, type Listed, type Outcome, type WorkerState } from './driver.js';

const STATES: Readonly<Record<string, WorkerState>> = {
  launching: 'starting',
  online: 'serving',
  'waiting restart': 'waiting',
  stopping: 'leaving',
  stopped: 'stopped',
  errored: 'errored',
};

const outcome = ({ code, text }: Result): Outcome => ({ ok: code === 0, code, text });

/** @param pm2 the daemon, where the service is not the first of its user */
export function pm2Driver(place: AppPlace, pm2 = new Pm2(place.env)): Driver {
  const { folder, file, name } = place;
  let environment: string[] = [];

  const give = async (...args: string[]): Promise<Outcome> =>
    outcome(await pm2.runFrom({ cwd: folder }, ...args));
  const said = (): string[] => {
    const log = join(pm2.home, 'pm2.log');
    if (!existsSync(log)) return [];
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter(line => line.includes(`App [${name}:`));
  };

  return {
    async start({ envName, from = folder, launcher = [] } = {}) {
      environment = envName === undefined ? [] : ['--env', envName];
      return outcome(await pm2.runFrom({ cwd: from, launcher }, 'start', file, ...environment));
    },
    stop: () => give('stop', name),
    reload: () => give('reload', file, ...environment),
    scale: workers => give('scale', name, String(workers)),
    killWorker: (pid, how = 'SIGKILL') => signal(pid, how),
    killSupervisor(how = 'SIGKILL') {
      if (pm2.alive) signal(pm2.daemon, how);
    },
    async workers() {
      // Without a daemon every command of PM2 would start one.
      if (!pm2.alive) return [];
      const all = (await pm2.list()) as (Awaited<ReturnType<Pm2['list']>>[number] & { name: string })[];
      return all
        .filter(listed => listed.name === name)
        .map(({ pid, pm2_env: { status, restart_time: restarts } }): Listed => ({
          pid: pid === 0 ? null : pid,
          state: STATES[status] ?? 'errored',
          restarts,
        }));
    },
    logs: () => pm2.logs(),
    said,
    starts: () => said().filter(line => line.includes('starting in -cluster mode-')).length,
    alive: () => pm2.alive,
    supervisor: () => (pm2.daemon > 0 ? pm2.daemon : null),
    exitCode: () => null,
    beside: other => pm2Driver(other, pm2),
    end: () => pm2.end(),
    traces: () => (existsSync(pm2.home) ? [pm2.home] : []),
  };
}
