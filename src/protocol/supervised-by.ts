import cluster from 'node:cluster';

/** What supervises this process. */
export type SupervisedBy = 'none' | 'native' | 'pm2';

/**
 * PM2 gives each of its processes an id and a channel; a shell that was started below one inherits only the id. Every
 * other cluster worker belongs to the native supervisor.
 */
export function supervisedBy(): SupervisedBy {
  if (process.env['pm_id'] !== undefined && process.connected) return 'pm2';
  return cluster.isWorker ? 'native' : 'none';
}
