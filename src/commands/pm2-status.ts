/** The status of a service that PM2 runs, from what its workers say of themselves. */
import { statusOfWorkers } from '../live/worker-status.js';
import { VERSION } from '../version.js';
import type { Pm2Workers } from './pm2-workers.js';
import type { ShownStatus } from '../live/shown-status.js';

export function pm2Status({ name, daemon, asked }: Pm2Workers): ShownStatus {
  const node = asked.flatMap(({ snapshot }) => snapshot?.service.node ?? [])[0] ?? process.version;
  return {
    app: name,
    file: null,
    env: null,
    supervisor: { type: 'pm2', pid: daemon, uptime: null, version: VERSION, node },
    generation: null,
    restartsLastMinute: null,
    lastReload: null,
    ...statusOfWorkers(asked),
  };
}
