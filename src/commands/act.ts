/** `reload`, `upgrade`, `scale N` and `stop`: orders the action, tells what happens to each slot meanwhile, and how it ended. */
import { errors } from '../errors.js';
import { EXIT } from '../protocol/exit-codes.js';
import type { Status, WorkerStatus } from '../supervisor/report/status.js';
import type { ActionOutcome } from '../supervisor/action.js';
import { pm2Command } from '../live/pm2-command.js';
import { reach, type Client, type Reached } from './client.js';
import type { CommandLine } from './command-line.js';

/** How often the command looks while it waits. */
const LOOK_MS = 200;

type Action = 'reload' | 'upgrade' | 'scale' | 'stop';

export async function act(action: Action, line: CommandLine): Promise<void> {
  const { client, status } = await reach(line).catch((error: unknown) => explainPm2(error, action, line));
  let last = status;
  const report = reporter();
  report(status as Status);
  /** The supervisor of a stopped service is gone before we are: then the answer is all there is to wait for. */
  const look = (): Promise<void> =>
    client.get('/status').then(
      ({ body }) => {
        last = body as Status;
        report(body as Status);
      },
      () => undefined,
    );
  const watching = setInterval(look, LOOK_MS);
  const outcome = await order(client, action, line).finally(() => clearInterval(watching));
  const { ok, reason, advice, warnings = [] } = outcome;
  // Nothing that happened between two polls is left out: every slot's new worker gets its line.
  await look();
  const done: Readonly<Record<Action, string>> = {
    reload: 'Reloaded',
    upgrade: `Upgraded: supervisor pid ${last.supervisor?.pid}, node ${last.supervisor?.node}`,
    scale: `Running ${line.instances ?? 0} workers`,
    stop: 'Stopped',
  };
  process.stdout.write(ok ? `✓ ${done[action]}\n` : `✗ ${action} failed: ${reason}\n`);
  for (const warning of warnings) process.stdout.write(`  warning   ${warning}\n`);
  if (advice !== undefined) process.stdout.write(`  ${advice}\n`);
  process.exitCode = ok ? EXIT.ok : EXIT.internal;
}

/** @throws ServiceError always: PM2 runs the service, or nothing does */
async function explainPm2(error: unknown, action: Action, line: CommandLine): Promise<Reached> {
  const { pm2WorkersInstead } = require('./pm2-workers.js') as typeof import('./pm2-workers.js');
  const { name, daemon } = await pm2WorkersInstead(error, line);
  throw errors.notNative(name, daemon, pm2Cure(action, name, line.instances));
}

function pm2Cure(action: Action, name: string, instances: number | undefined): string {
  if (action === 'upgrade')
    return `"pm2 reload ${name}" takes a new build, "pm2 update" a new Node or PM2, and refuses connections meanwhile`;
  return `use "${pm2Command(action, name, instances)}"`;
}

async function order(
  client: Client,
  action: string,
  { instances, envName: env }: CommandLine,
): Promise<ActionOutcome> {
  // JSON leaves out what is undefined.
  const { body } = await client.post(`/${action}`, action === 'reload' ? { env } : { instances });
  return body as ActionOutcome;
}

/** Prints a line for every worker whose state has changed since the last look. */
function reporter(): (status: Status) => void {
  let known: ReadonlyMap<string, string> | undefined;
  const keyOf = ({ slot, pid }: WorkerStatus): string => `slot ${slot}  pid ${pid ?? '-'}`;
  return ({ workers }) => {
    const now = new Map(workers.map(worker => [keyOf(worker), worker.state]));
    const gone = [...(known?.keys() ?? [])].filter(key => !now.has(key));
    const changed = [...now].filter(([key, state]) => known !== undefined && known.get(key) !== state);
    for (const [key, state] of changed) process.stdout.write(`  ${key}  ${state}\n`);
    for (const key of gone) process.stdout.write(`  ${key}  gone\n`);
    known = now;
  };
}
