/** The shell around the core: connects its parts and answers requests. It decides nothing. */
import type { HeartbeatRecords } from '../protocol/heartbeat-records.js';
import type { OomWatch } from '../platform/memory.js';
import type { UsageMeter, UsageSource } from '../platform/process-usage.js';
import { failedBecause, type ActionOutcome } from './action.js';
import type { App } from './app-file/load.js';
import type { Clock } from './clock.js';
import type { Event, Pool, Predecessor, Verdict, WorkerId } from './core/model.js';
import { createPool } from './core/step.js';
import { createEngine } from './engine.js';
import { createPerformer } from './performer.js';
import type { Listener } from './processes/listener.js';
import { createWorkers, isProcessNotice, type Process, type Report } from './processes/workers.js';
import { createRegistry } from './registry.js';
import { createReloads, type Deployment } from './reloads.js';
import { createEvents, type EventList } from './report/events.js';
import { narrateProcess, type Line } from './report/narrate.js';
import { describeService, type ServiceStatus } from './report/status.js';
import { SERVICE_STOPS } from './report/wording.js';
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

export function createSupervisor({ app, instances }: Deployment, ports: Ports): Supervisor {
  const registry = createRegistry(app);
  const workers = createWorkers({ ...ports, usage: ports.usageSource, report });
  const pidOf = (worker: WorkerId): number => registry.pidOf(worker) ?? 0;
  const events = createEvents(pidOf);
  const reloads = createReloads({ ...ports, addApp: registry.addApp, send });
  const performer = createPerformer({ ...ports, registry, workers, reloads, events });
  const pool = createPool(app.policy, instances, ports.predecessor);
  const engine = createEngine({ ...ports, ...performer, pool, pidOf, events });

  function send(event: Event): void {
    engine.send(event);
  }

  function report(event: Report): void {
    if (isProcessNotice(event)) return ports.log(narrateProcess(event, pidOf(event.worker)));
    const running = registry.process(event.worker);
    if (running !== undefined && (event.type === 'worker.ready' || event.type === 'worker.listening'))
      ports.ready(running);
    send(event);
  }

  return {
    get pool() {
      return engine.pool;
    },
    get envName() {
      return reloads.envName;
    },
    start: () => send({ type: 'wake' }),
    send,
    reload: envName =>
      engine.pool.verdict === undefined
        ? reloads.request(envName)
        : Promise.resolve(failedBecause(SERVICE_STOPS)),
    scale: wanted => scale(engine, wanted),
    status: () => {
      const now = ports.clock.now();
      const facts = { ...registry, now, usageOf: ({ pid }: Process) => ports.usage.of(pid) };
      return describeService(engine.pool, facts, reloads.last);
    },
    events: events.since,
    hung(pid, blockedMs) {
      const hung = [...registry.processes()].find(worker => worker.pid === pid);
      if (hung !== undefined) send({ type: 'worker.hung', worker: hung.id, blockedMs });
    },
    app: () => registry.app(engine.pool.generation),
    processes: registry.processes,
    askUsage: workers.askUsage,
    onChange: engine.onChange,
  };
}
