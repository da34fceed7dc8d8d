import cluster from 'node:cluster';

/** What supervises this process, if anything does. */
export type SupervisedBy = 'none' | 'native' | 'pm2';

/**
 * PM2 gives each of its processes an id (`pm_id`) and an IPC channel; a shell started below such a process inherits
 * only the id. Any other parent of a cluster worker is the native supervisor.
 */
export function detectSupervisor(): SupervisedBy {
  if (process.env['pm_id'] !== undefined && process.connected) return 'pm2';
  return cluster.isWorker ? 'native' : 'none';
}
