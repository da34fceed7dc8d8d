/**
 * The shell around the core: one queue of events, one timer, and the effects performed in their order. It decides
 * nothing; what it knows beyond the core are the processes behind the worker numbers and the app behind each
 * generation.
 */
import type { HeartbeatRecords } from '../protocol/heartbeat-records.js';
import type { Clock } from './clock.js';
import type { App } from './app-file/load.js';
import { createInstanceVariables } from './processes/instance-variables.js';
import type { Listener } from './processes/listener.js';
import type { Effect, Event, Generation, Pool, Verdict, WorkerId } from './core/model.js';
import { narrateEffect, narrateEvent, type Line } from './report/narrate.js';
import { serviceState, workerRows, type Facts, type ReloadOutcome, type Status } from './report/status.js';
import { createPool, step } from './core/step.js';
import type { UsageMeter, UsageSource } from '../platform/process-usage.js';
import { nextWake, workersOf } from './core/wake.js';
import { createWorkers, type Process, type Report } from './processes/workers.js';

/** An app, and how many workers that means on this machine. */
export interface Deployment {
  readonly app: App;
  readonly instances: number;
}

/** What the supervisor needs from the world around it. */
export interface World {
  readonly clock: Clock;
  readonly listener: Listener;
  /** Where workers show their pulse, if any is to be felt. */
  readonly board: HeartbeatRecords | undefined;
  readonly usage: UsageMeter;
  readonly usageSource: UsageSource;
  log(line: Line): void;
  /** Reads the app file again. @throws ServiceError if it cannot be used */
  reread(): Deployment;
  /** The supervisor itself is at fault. */
  failed(error: unknown): void;
  /** The service is over: nothing of it is left but this process. */
  ended(verdict: Verdict): void;
}

/** How an action that somebody waits for ended. */
export interface ActionOutcome {
  readonly ok: boolean;
  /** Why not; `null` if it is. */
  readonly reason: string | null;
}

export interface Supervisor {
  readonly pool: Pool;
  start(): void;
  /** Hands the core an event: `stop`, or what a timer of the shell's surroundings found out. */
  send(event: Event): void;
  /** Settles when the reload that covers this wish has ended. */
  reload(): Promise<ActionOutcome>;
  /** Settles when there are so many workers, or when it is clear that there will not be. */
  scale(instances: number): Promise<ActionOutcome>;
  status(): Pick<Status, 'generation' | 'state' | 'wanted' | 'workers' | 'lastReload'>;
  /** The app that newly forked workers run. */
  app(): App;
  processes(): Iterable<Process>;
  /** Asks the workers for their usage, where it cannot be looked up. */
  askUsage(): void;
  /** Calls back after every change of the pool, until the returned function is called. */
  onChange(call: (pool: Pool) => void): () => void;
}

const workersIn = ({ slots }: Pool): WorkerId[] => slots.flatMap(workersOf).map(({ id }) => id);

type Waiter = (outcome: ActionOutcome) => void;

const SERVICE_STOPS: ActionOutcome = { ok: false, reason: 'the service stops' };

export function createSupervisor({ app, instances }: Deployment, world: World): Supervisor {
  const { clock, listener, usage } = world;
  const apps = new Map<Generation, App>([[1, app]]);
  const processes = new Map<WorkerId, Process>();
  const pids = new Map<WorkerId, number>();
  const variables = createInstanceVariables();
  const callbacks = new Set<(pool: Pool) => void>();
  const workers = createWorkers({
    listener,
    heartbeatRecords: world.board,
    usage: world.usageSource,
    report: reported,
  });
  const queue: Event[] = [];
  let pool = createPool(app.policy, instances);
  let lastGeneration: Generation = 1;
  let lastReload: ReloadOutcome | null = null;
  let inReload: Waiter[] = [];
  let nextReload: Waiter[] = [];
  let busy = false;
  /** A reload has ended, and addresses may be open that no worker uses any more. */
  let mayHaveMoved = false;

  const pidOf = (worker: WorkerId): number => pids.get(worker) ?? 0;
  const facts: Facts = {
    process: worker => processes.get(worker),
    pidOf: worker => pids.get(worker),
    uptimeOf: ({ forkedAt }) => Math.round(performance.now() - forkedAt),
    usageOf: ({ pid }) => usage.of(pid),
  };

  function reported(report: Report): void {
    if (report.type === 'worker.online')
      world.log({ level: 'info', msg: `Worker ${pidOf(report.worker)} is online` });
    else if (report.type === 'worker.misbehaved')
      world.log({
        level: 'error',
        msg: `Worker ${pidOf(report.worker)} broke its channel: ${report.reason}`,
      });
    else send(report);
  }

  /** Effects may bring about events at once; they wait their turn, so that each sees the pool of the one before. */
  function send(event: Event): void {
    queue.push(event);
    if (busy) return;
    busy = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) handle(next);
    } catch (error) {
      return world.failed(error); // whatever was half done: deciding anything more would be guessing
    }
    busy = false;
    clock.wakeAt(nextWake(pool), () => send({ type: 'wake' }));
    for (const call of callbacks) call(pool);
  }

  function handle(event: Event): void {
    const before = pool;
    const now = clock.now();
    const outcome = step(before, event, now);
    pool = outcome.pool;
    narrateEvent(event, before, pool, now, pidOf).forEach(world.log);
    for (const effect of outcome.effects) {
      perform(effect);
      narrateEffect(effect, pool, pidOf).forEach(world.log);
    }
    if (event.type === 'worker.exited' || event.type === 'fork.failed') bury(event.worker);
    forget();
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
      case 'reread':
        return reread();
      case 'reload.ended':
        return reloadEnded(effect.aborted ?? null);
      case 'recycle.failed':
        return undefined;
      case 'exit':
        return world.ended(effect.verdict);
    }
  }

  function fork({ worker, slot, generation }: Extract<Effect, { type: 'fork' }>): void {
    const its = apps.get(generation) ?? app;
    const process = workers.fork({ id: worker, slot, app: its, variables: variables.of(slot, its) });
    if (process === undefined) return;
    processes.set(worker, process);
    pids.set(worker, process.pid);
  }

  function reread(): void {
    inReload = nextReload;
    nextReload = [];
    try {
      const reading = world.reread();
      const generation = ++lastGeneration;
      apps.set(generation, reading.app);
      // Next in line: a wish that is already waiting must find the reload under way.
      queue.unshift({
        type: 'reload.read',
        generation,
        policy: reading.app.policy,
        instances: reading.instances,
      });
    } catch (error) {
      const reason = (error as Error).message;
      world.log({ level: 'error', msg: `Reload refused, nothing changes: ${reason}` });
      reloadEnded(reason);
    }
  }

  function reloadEnded(reason: string | null): void {
    mayHaveMoved = true;
    lastReload = { at: Date.now(), ok: reason === null, reason };
    const waiters = inReload;
    inReload = [];
    for (const settle of waiters) settle({ ok: reason === null, reason });
  }

  /** A pid outlives its worker for as long as a slot tells how it ended. */
  function bury(worker: WorkerId): void {
    processes.delete(worker);
    const told = new Set(pool.slots.map(({ history }) => history.lastExit?.worker));
    for (const id of pids.keys()) if (!processes.has(id) && !told.has(id)) pids.delete(id);
  }

  /** Drops what no worker and no slot can need again. */
  function forget(): void {
    if (pool.verdict !== undefined) {
      listener.close();
      // A waiting reload may have been read in the very step that ends the service: it never begins.
      for (const settle of [...inReload.splice(0), ...nextReload.splice(0)]) settle(SERVICE_STOPS);
    }
    if (mayHaveMoved && isServed()) mayHaveMoved = !workers.keepAddressesOf(workersIn(pool));
    variables.keep(pool.slots.length);
    // A reload that has been read and not yet begun is the last one; what an aborted one wanted is over.
    for (const generation of apps.keys())
      if (generation !== pool.generation && generation !== lastGeneration) apps.delete(generation);
  }

  /** Every slot has its worker, and no other is on its way. */
  const isServed = (): boolean =>
    pool.reload === undefined && pool.slots.length > 0 && pool.slots.every(({ at }) => at === 'ready');

  function settled(wanted: number): ActionOutcome | undefined {
    if (pool.verdict !== undefined) return SERVICE_STOPS;
    if (pool.wanted !== wanted) return { ok: false, reason: `by now ${pool.wanted} workers are wanted` };
    const moving = pool.slots.some(({ at }) => at === 'starting' || at === 'vacant' || at === 'replacing');
    if (moving || pool.reload !== undefined || pool.departing.length > 0) return undefined;
    const lame = pool.slots.findIndex(({ at }) => at !== 'ready');
    return lame === -1
      ? { ok: true, reason: null }
      : { ok: false, reason: `slot ${lame} is ${pool.slots[lame]?.at}` };
  }

  return {
    get pool() {
      return pool;
    },
    start: () => send({ type: 'wake' }),
    send,
    reload: () =>
      new Promise(resolve => {
        if (pool.verdict !== undefined) return resolve(SERVICE_STOPS);
        nextReload.push(resolve);
        send({ type: 'reload.asked' });
      }),
    scale: wanted =>
      new Promise(resolve => {
        send({ type: 'scale', instances: wanted });
        const stopChecking = onChange(check);
        check();
        function check(): void {
          const outcome = settled(wanted);
          if (outcome === undefined) return;
          stopChecking();
          resolve(outcome);
        }
      }),
    status: () => ({
      generation: pool.generation,
      state: serviceState(pool),
      wanted: pool.wanted,
      workers: workerRows(pool, facts),
      lastReload,
    }),
    app: () => apps.get(pool.generation) ?? app,
    processes: () => processes.values(),
    askUsage: workers.askUsage,
    onChange,
  };

  function onChange(call: (pool: Pool) => void): () => void {
    callbacks.add(call);
    return () => callbacks.delete(call);
  }
}
