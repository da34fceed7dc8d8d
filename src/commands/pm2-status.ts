/** The status of a service that PM2 runs, from what its workers say of themselves. */
import { statusOfWorkers } from '../live/worker-status.js';
import { VERSION } from '../version.js';
import type { CommandLine } from './command-line.js';
import { pm2Workers, type Pm2Workers } from './pm2-workers.js';
import type { ShownStatus } from './shown-status.js';

/** @returns nothing if PM2 does not run the service that this command line means */
export async function pm2Status(line: CommandLine): Promise<ShownStatus | undefined> {
  const found = await pm2Workers(line);
  return found && describe(found);
}

function describe({ name, daemon, asked }: Pm2Workers): ShownStatus {
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
