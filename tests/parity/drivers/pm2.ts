/** The real PM2, the locked version, in a home of its own. */
import { Pm2, type Result } from '../../support/pm2.js';
import { isAlive } from '../../support/processes.js';
import type { AppPlace, Driver, Listed, Outcome, WorkerState } from './driver.js';

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
  // Without a daemon every command of PM2 would start one.
  const alive = (): boolean => pm2.daemon !== 0 && isAlive(pm2.daemon);

  return {
    async start({ envName, from = folder, launcher = [] } = {}) {
      environment = envName === undefined ? [] : ['--env', envName];
      return outcome(await pm2.runFrom({ cwd: from, launcher }, 'start', file, ...environment));
    },
    stop: () => give('stop', name),
    reload: () => give('reload', file, ...environment),
    scale: workers => give('scale', name, String(workers)),
    killWorker: (pid, signal = 'SIGKILL') => void process.kill(pid, signal),
    killSupervisor: (signal = 'SIGKILL') => void process.kill(pm2.daemon, signal),
    async workers() {
      if (!alive()) return [];
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
    alive,
    beside: other => pm2Driver(other, pm2),
    end: () => pm2.end(),
  };
}
