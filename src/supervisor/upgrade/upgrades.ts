/** The command `upgrade`: another supervisor takes this one's place, with the Node and the build that are there by now. */
import { failedBecause, SUCCEEDED, type ActionOutcome } from '../action.js';
import type { Pool } from '../core/model.js';
import type { Front } from '../control/front.js';
import type { Listener } from '../processes/listener.js';
import type { Line } from '../report/narrate.js';
import { RELOAD_RUNS, SERVICE_STOPS, UPGRADE_RUNS, WORKERS_LISTEN } from '../report/wording.js';
import type { Supervisor } from '../supervisor.js';
import type { Handover } from './handover.js';
import type { Launch } from './launch.js';
import { whyIrreplaceable, type Standing } from './standing.js';
import { startSuccessor, type Successor, type SuccessorNeeds } from './successor.js';

/** What a start takes besides `listen_timeout` and `min_uptime`: Node itself, the app file, the look-up of HOST. */
const START_MS = 20_000;

/** What the end of a supervisor takes besides `kill_timeout`. */
const END_MS = 2_000;

export interface UpgradeNeeds {
  readonly supervisor: Supervisor;
  readonly listener: Listener;
  readonly front: Front;
  readonly launch: Launch;
  /** The number of the service. */
  readonly service: number;
  /** The environment of the app file that the command line of this process names. */
  readonly envName: string | undefined;
  standing(): Standing;
  log(line: Line): void;
  /** Resolves when this service has ended. */
  readonly ended: Promise<unknown>;
}

export interface Upgrades {
  readonly isRunning: boolean;
  /** Settles when the successor is in charge and our workers have left, or when nothing has changed. */
  run(): Promise<ActionOutcome>;
  /** Ends the successor, unless it is in charge. */
  cancel(): Promise<void>;
  /** Calls at once, or when an upgrade has failed: the successor of one that succeeds has read everything anew. */
  unlessUpgraded(call: () => void): void;
}

export function createUpgrades(needs: UpgradeNeeds): Upgrades {
  const { supervisor, front, log } = needs;
  let running: Successor | undefined;
  const afterFailure = new Set<() => void>();

  async function run(): Promise<ActionOutcome> {
    const why = running === undefined ? whyNot(needs) : UPGRADE_RUNS;
    if (why !== undefined) return failedBecause(why);
    const launch = launchIn(supervisor.envName, needs);
    log({ level: 'info', msg: `Upgrading: ${[launch.command, ...launch.args].join(' ')}` });
    running = startSuccessor({
      launch,
      env: { ...process.env, ...front.variables },
      handover: handoverOf(needs),
      ...limitsOf(supervisor.pool),
    });
    const failure = await replacedBy(running).catch((error: unknown) => (error as Error).message);
    if (failure !== undefined) return abandon(running, failure);
    log({
      level: 'info',
      msg: `Master process ${running.pid} has taken over, master process ${process.pid} drains`,
    });
    // A stop that was ordered in this very moment is meant for the service.
    if (supervisor.pool.verdict !== undefined) running.stop();
    supervisor.send({ type: 'stop', how: 'retire' });
    await needs.ended;
    return SUCCEEDED;
  }

  async function replacedBy(successor: Successor): Promise<undefined> {
    await successor.ready();
    if (supervisor.pool.verdict !== undefined) throw new Error(SERVICE_STOPS);
    front.stepAside();
    await successor.takeOver();
  }

  async function abandon(successor: Successor, reason: string): Promise<ActionOutcome> {
    await successor.end();
    await front.comeBack();
    running = undefined;
    log({ level: 'error', msg: `Upgrade failed, nothing changes: ${reason}` });
    for (const call of afterFailure) call();
    afterFailure.clear();
    return failedBecause(reason);
  }

  return {
    get isRunning() {
      return running !== undefined;
    },
    run,
    async cancel() {
      await running?.end();
    },
    unlessUpgraded(call) {
      if (running === undefined) call();
      else afterFailure.add(call);
    },
  };
}

/** What keeps this service from being upgraded at the moment. */
function whyNot({ supervisor, listener, standing }: UpgradeNeeds): string | undefined {
  const { verdict, reload, loading } = supervisor.pool;
  if (verdict !== undefined) return SERVICE_STOPS;
  if (reload !== undefined || loading) return RELOAD_RUNS;
  return listener.openSockets().length === 0 ? WORKERS_LISTEN : whyIrreplaceable(standing());
}

/** A reload may have switched the environment of the app file since the start: the last `--env` counts. */
const launchIn = (now: string | undefined, { launch, envName }: UpgradeNeeds): Launch =>
  now === undefined || now === envName ? launch : { ...launch, args: [...launch.args, '--env', now] };

function handoverOf({ supervisor, listener, service }: UpgradeNeeds): Handover {
  const { wanted, fromFile } = supervisor.pool;
  return { mode: listener.mode, sockets: listener.openSockets(), service, wanted, fromFile };
}

const limitsOf = ({ policy }: Pool): Pick<SuccessorNeeds, 'readyMs' | 'endMs'> => ({
  readyMs: START_MS + policy.listenTimeoutMs + policy.minUptimeMs,
  endMs: END_MS + policy.killTimeoutMs,
});
