/** The shell around the core: performs its effects and answers requests. It decides nothing. */
import type { HeartbeatRecords } from '../protocol/heartbeat-records.js';
import type { OomWatch } from '../platform/memory.js';
import type { UsageMeter, UsageSource } from '../platform/process-usage.js';
import { failedBecause, type ActionOutcome } from './action.js';
import type { App } from './app-file/load.js';
import type { Clock } from './clock.js';
import type { AbortReason, Effect, Event, Pool, Verdict, WorkerId } from './core/model.js';
import { isSettled, workersInSlots } from './core/queries.js';
import { createPool } from './core/step.js';
import { createEngine } from './engine.js';
import { createInstanceVariables } from './processes/instance-variables.js';
import type { Listener } from './processes/listener.js';
import { createWorkers, type Process, type Report } from './processes/workers.js';
import { createRegistry } from './registry.js';
import { createReloads, type Deployment } from './reloads.js';
import type { Line } from './report/narrate.js';
import { describeService, type ServiceStatus } from './report/status.js';
import { abortText, FAILED_BUILD_STAYS, HEARTBEATS_LOST, SERVICE_STOPS } from './report/wording.js';
import { scale } from './scaling.js';

/** What the supervisor needs from its surroundings. */
export interface Ports {
  readonly clock: Clock;
  readonly listener: Listener;
  /** Where workers write their heartbeats; `undefined` if nobody watches them. */
  readonly heartbeatRecords: HeartbeatRecords | undefined;
  readonly oomWatch: OomWatch;
  readonly usage: UsageMeter;
  readonly usageSource: UsageSource;
  /** Where workers find the control socket. */
  readonly controlSocket: string;
  log(line: Line): void;
  /** A worker has said that it is ready, or listens. */
  ready(worker: Process): void;
  /** Reads the app file again. Rejects with a ServiceError if it cannot be used. */
  load(): Promise<Deployment>;
  /** The supervisor itself has failed. */
  failed(error: unknown): void;
  /** The service has ended: only this process is left. */
  ended(verdict: Verdict): void;
}

export interface Supervisor {
  readonly pool: Pool;
  start(): void;
  /** Hands the core an event. */
  send(event: Event): void;
  /** Settles when the reload of this request has ended. */
  reload(): Promise<ActionOutcome>;
  /** Settles when there are so many workers, or when it is clear that there will not be. */
  scale(instances: number): Promise<ActionOutcome>;
  status(): ServiceStatus;
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
  const { listener, heartbeatRecords, oomWatch, usage, usageSource, controlSocket, log } = ports;
  const registry = createRegistry(firstApp);
  const variables = createInstanceVariables();
  const workers = createWorkers({
    listener,
    heartbeatRecords,
    oomWatch,
    usage: usageSource,
    controlSocket,
    report,
  });
  const pidOf = (worker: WorkerId): number => registry.pidOf(worker) ?? 0;
  const pool = createPool(firstApp.policy, instances);
  const engine = createEngine({ ...ports, pool, pidOf, perform, handled });
  const reloads = createReloads({ ...ports, addApp: registry.addApp, send: engine.send });
  /** After a reload, sockets may be open at addresses that no worker uses any more. */
  let mayHaveOldAddresses = false;
  /** What follows from a reload that has just been aborted, for the log. */
  let advice: string | undefined;

  function report(event: Report): void {
    if (event.type === 'worker.online')
      log({ level: 'info', msg: `Worker ${pidOf(event.worker)} is online` });
    else if (event.type === 'worker.misbehaved')
      log({ level: 'error', msg: `Worker ${pidOf(event.worker)} broke its channel: ${event.reason}` });
    else if (event.type === 'worker.heartbeats-lost')
      log({ level: 'warn', msg: `Worker ${pidOf(event.worker)} ${HEARTBEATS_LOST}` });
    else if (event.type === 'worker.listen-failed')
      log({ level: 'error', msg: `Worker ${pidOf(event.worker)} cannot listen: ${event.reason}` });
    else forward(event);
  }

  function forward(event: Extract<Event, { worker: WorkerId }>): void {
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
        mayHaveOldAddresses = true;
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
    const forked = workers.fork({ id, slot, app, variables: variables.of(slot, app) });
    if (forked !== undefined) registry.addProcess(forked);
  }

  /** Drops what no worker and no slot can need again. */
  function handled(event: Event, now: Pool): void {
    if (event.type === 'worker.exited' || event.type === 'fork.failed')
      registry.removeProcess(event.worker, now);
    if (advice !== undefined) log({ level: 'warn', msg: advice });
    advice = undefined;
    if (now.verdict !== undefined) {
      listener.close();
      reloads.refuseAll();
    }
    if (mayHaveOldAddresses && isSettled(now))
      mayHaveOldAddresses = !workers.keepAddressesOf(workersInSlots(now));
    variables.keep(now.slots.length);
    registry.dropOldApps(now);
  }

  return {
    get pool() {
      return engine.pool;
    },
    start: () => engine.send({ type: 'wake' }),
    send: engine.send,
    reload: () =>
      engine.pool.verdict === undefined ? reloads.request() : Promise.resolve(failedBecause(SERVICE_STOPS)),
    scale: wanted => scale(engine, wanted),
    status: () => {
      const now = ports.clock.now();
      const facts = { ...registry, now, usageOf: ({ pid }: Process) => usage.of(pid) };
      return describeService(engine.pool, facts, reloads.last);
    },
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
