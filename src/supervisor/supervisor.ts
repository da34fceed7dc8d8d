/** The shell around the core: performs its effects and answers requests. It decides nothing. */
import type { HeartbeatRecords } from '../protocol/heartbeat-records.js';
import type { OomWatch } from '../platform/memory.js';
import type { UsageMeter, UsageSource } from '../platform/process-usage.js';
import { failedBecause, type ActionOutcome } from './action.js';
import type { App } from './app-file/load.js';
import type { Clock } from './clock.js';
import type { AbortReason, Effect, Event, Pool, Predecessor, Verdict, WorkerId } from './core/model.js';
import { wantedFor } from './core/pool.js';
import { isSettled, workersInSlots } from './core/queries.js';
import { createPool } from './core/step.js';
import { createEngine } from './engine.js';
import { createInstanceVariables, type InstanceVariables } from './processes/instance-variables.js';
import type { Listener } from './processes/listener.js';
import {
  createWorkers,
  isProcessNotice,
  type Process,
  type Report,
  type Workers,
} from './processes/workers.js';
import { createRegistry, type Registry } from './registry.js';
import { createReloads, type Deployment } from './reloads.js';
import { createEvents, type EventList } from './report/events.js';
import { narrateProcess, type Line } from './report/narrate.js';
import { describeService, type ServiceStatus } from './report/status.js';
import { abortText, FAILED_BUILD_STAYS, SERVICE_STOPS } from './report/wording.js';
import { scale } from './scaling.js';

/** What the supervisor needs from its surroundings. */
export interface Ports {
  readonly clock: Clock;
  readonly listener: Listener;
  /** Where workers write their heartbeats; `undefined` if they are not watched. */
  readonly heartbeatRecords: HeartbeatRecords | undefined;
  readonly oomWatch: OomWatch;
  readonly usage: UsageMeter;
  readonly usageSource: UsageSource;
  /** Where workers find the control socket. */
  readonly controlSocket: string;
  /** The number of the service (`observability/service-folder.ts`). */
  readonly service: number;
  /** What is known of the supervisor that this one replaces. */
  readonly predecessor: Predecessor | undefined;
  log(line: Line): void;
  /** A worker has said that it is ready, or listens. */
  ready(worker: Process): void;
  /** The environment of the app file in which the service starts. */
  readonly envName: string | undefined;
  /** Reads the app file again, in this environment. Rejects with a ServiceError if it cannot be used. */
  load(envName: string | undefined): Promise<Deployment>;
  /** The supervisor itself has failed. */
  failed(error: unknown): void;
  /** The service has ended: only this process is left. */
  ended(verdict: Verdict): void;
}

export interface Supervisor {
  readonly pool: Pool;
  /** The environment of the app file in which the service runs. */
  readonly envName: string | undefined;
  start(): void;
  /** Hands the core an event. */
  send(event: Event): void;
  /**
   * Settles when the reload of this request has ended.
   * @param envName another environment of the app file, in which the service stays
   */
  reload(envName?: string): Promise<ActionOutcome>;
  /** Settles when there are so many workers, or when it is clear that there will not be. */
  scale(instances: number): Promise<ActionOutcome>;
  status(): ServiceStatus;
  /** What has happened: see {@link Events.since}. */
  events(after: number): EventList;
  /** The watchdog of the worker with this pid is about to kill it. */
  hung(pid: number, blockedMs: number): void;
  /** The app that newly forked workers run. */
  app(): App;
  processes(): Iterable<Process>;
  /** Asks the workers for their usage, where it cannot be looked up. */
  askUsage(): void;
  /** Calls back after every change of the pool, until the returned function is called. */
  onChange(call: (pool: Pool) => void): () => void;
}

export function createSupervisor({ app: firstApp, instances }: Deployment, ports: Ports): Supervisor {
  const { listener, heartbeatRecords, oomWatch, usage, usageSource, controlSocket, service, log } = ports;
  const registry = createRegistry(firstApp);
  const variables = createInstanceVariables();
  const workers = createWorkers({
    listener,
    heartbeatRecords,
    oomWatch,
    usage: usageSource,
    controlSocket,
    service,
    report,
  });
  const pidOf = (worker: WorkerId): number => registry.pidOf(worker) ?? 0;
  const pool = createPool(firstApp.policy, instances, ports.predecessor);
  const events = createEvents(pidOf);
  const engine = createEngine({ ...ports, pool, pidOf, perform, events, handled });
  const reloads = createReloads({ ...ports, addApp: registry.addApp, send: engine.send });
  const cleanUp = createCleanUp({
    registry,
    variables,
    workers,
    listener,
    // The supervisor before may have listened elsewhere.
    mayHaveOldAddresses: ports.predecessor !== undefined,
  });
  /** What follows from a reload that has just been aborted, for the log. */
  let advice: string | undefined;

  function report(event: Report): void {
    if (isProcessNotice(event)) return log(narrateProcess(event, pidOf(event.worker)));
    const running = registry.process(event.worker);
    if (running !== undefined && (event.type === 'worker.ready' || event.type === 'worker.listening'))
      ports.ready(running);
    engine.send(event);
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case 'fork':
        return fork(effect);
      case 'order':
        return workers.order(effect.worker, effect.how);
      case 'kill':
        return workers.kill(effect.worker);
      case 'lend':
        return workers.lend(effect.slot, effect.to);
      case 'return':
        return workers.takeBack(effect.slot, effect.from);
      case 'load':
        return void reloads.load();
      case 'reload.ended':
        cleanUp.addressesMayBeOld();
        advice = adviceOn(effect.aborted);
        return reloads.ended(effect.aborted && abortText(effect.aborted), advice);
      case 'exit':
        return ports.ended(effect.verdict);
    }
  }

  /** A build in a folder of its own is left alone by workers of the one before; one that was written over it is not. */
  function adviceOn(aborted: AbortReason | undefined): string | undefined {
    const isInPlace = registry.lastRead().script === registry.app(engine.pool.generation).script;
    return aborted?.type === 'successor-lost' && isInPlace ? FAILED_BUILD_STAYS : undefined;
  }

  function fork({ worker: id, slot, generation }: Extract<Effect, { type: 'fork' }>): void {
    const app = registry.app(generation);
    const forked = workers.fork({
      id,
      slot,
      app,
      variables: variables.of(slot, app, wantedFor(engine.pool, generation)),
    });
    if (forked !== undefined) registry.addProcess(forked);
  }

  function handled(event: Event, now: Pool): void {
    if (advice !== undefined) log({ level: 'warn', msg: advice });
    advice = undefined;
    if (now.verdict !== undefined) reloads.refuseAll();
    events.handled(event, now, reloads.last);
    cleanUp.after(event, now);
  }

  return {
    get pool() {
      return engine.pool;
    },
    get envName() {
      return reloads.envName;
    },
    start: () => engine.send({ type: 'wake' }),
    send: engine.send,
    reload: envName =>
      engine.pool.verdict === undefined
        ? reloads.request(envName)
        : Promise.resolve(failedBecause(SERVICE_STOPS)),
    scale: wanted => scale(engine, wanted),
    status: () => {
      const now = ports.clock.now();
      const facts = { ...registry, now, usageOf: ({ pid }: Process) => usage.of(pid) };
      return describeService(engine.pool, facts, reloads.last);
    },
    events: events.since,
    hung(pid, blockedMs) {
      const hung = [...registry.processes()].find(worker => worker.pid === pid);
      if (hung !== undefined) engine.send({ type: 'worker.hung', worker: hung.id, blockedMs });
    },
    app: () => registry.app(engine.pool.generation),
    processes: registry.processes,
    askUsage: workers.askUsage,
    onChange: engine.onChange,
  };
}

interface CleanUpNeeds {
  readonly registry: Registry;
  readonly variables: InstanceVariables;
  readonly workers: Workers;
  readonly listener: Listener;
  readonly mayHaveOldAddresses: boolean;
}

/** Drops what no worker and no slot can need again. */
function createCleanUp(needs: CleanUpNeeds): {
  /** After a reload or an exit, sockets may be open at addresses that no worker uses any more. */
  addressesMayBeOld(): void;
  after(event: Event, pool: Pool): void;
} {
  const { registry, variables, workers, listener } = needs;
  let { mayHaveOldAddresses } = needs;
  return {
    addressesMayBeOld: () => void (mayHaveOldAddresses = true),
    after(event, pool) {
      if (event.type === 'worker.exited' || event.type === 'fork.failed')
        registry.removeProcess(event.worker, pool);
      if (event.type === 'worker.exited') mayHaveOldAddresses = true;
      if (pool.verdict !== undefined) listener.close();
      if (mayHaveOldAddresses && isSettled(pool))
        mayHaveOldAddresses = !workers.keepAddressesOf(workersInSlots(pool));
      variables.keep(pool.slots.length);
      registry.dropOldApps(pool);
    },
  };
}
