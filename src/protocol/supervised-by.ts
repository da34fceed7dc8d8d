import cluster from 'node:cluster';

/** Who is in charge of this process. */
export type Charge = 'nobody' | 'native' | 'pm2';

/**
 * PM2 gives every process of its own an id and a channel; a shell that was started below one inherits only the id. What
 * else forks a cluster worker is the native supervisor.
 */
export function whoIsInCharge(): Charge {
  if (process.env['pm_id'] !== undefined && process.connected) return 'pm2';
  return cluster.isWorker ? 'native' : 'nobody';
}
