/** What the shell knows beyond the core: the app behind each generation, and the process behind each worker. */
import type { App } from './app-file/load.js';
import type { Generation, Pool, WorkerId } from './core/model.js';
import { isGenerationNeeded, rememberedWorkers } from './core/queries.js';
import type { Process } from './processes/workers.js';

export interface ProcessEnd {
  /** In ms since the epoch. */
  readonly at: number;
  /** How long the process had run, in ms; `undefined` if it was never forked. */
  readonly uptime: number | undefined;
}

export interface Registry {
  /** The app of a generation; the newest one that serves where that generation is gone. */
  app(generation: Generation): App;
  /** The app that was read last, whether or not any worker runs it. */
  lastRead(): App;
  /** Numbers a newly read app. */
  addApp(app: App): Generation;
  addProcess(worker: Process): void;
  process(worker: WorkerId): Process | undefined;
  processes(): Iterable<Process>;
  /** The pid of a worker, also after its exit for as long as a slot remembers that exit. */
  pidOf(worker: WorkerId): number | undefined;
  /** When a worker exited, for as long as a slot remembers it. */
  endOf(worker: WorkerId): ProcessEnd | undefined;
  /** The worker has exited. */
  removeProcess(worker: WorkerId, pool: Pool): void;
  /** Drops the apps that no worker can need again. */
  dropOldApps(pool: Pool): void;
}

export function createRegistry(first: App): Registry {
  const apps = new Map<Generation, App>([[1, first]]);
  const processes = new Map<WorkerId, Process>();
  const pids = new Map<WorkerId, number>();
  const ends = new Map<WorkerId, ProcessEnd>();
  let lastGeneration: Generation = 1;

  return {
    app: generation => apps.get(generation) ?? first,
    lastRead: () => apps.get(lastGeneration) ?? first,
    addApp(app) {
      apps.set(++lastGeneration, app);
      return lastGeneration;
    },
    addProcess(worker) {
      processes.set(worker.id, worker);
      pids.set(worker.id, worker.pid);
    },
    process: worker => processes.get(worker),
    processes: () => processes.values(),
    pidOf: worker => pids.get(worker),
    endOf: worker => ends.get(worker),
    removeProcess(worker, pool) {
      const forkedAt = processes.get(worker)?.forkedAt;
      const uptime = forkedAt === undefined ? undefined : Math.round(performance.now() - forkedAt);
      ends.set(worker, { at: Date.now(), uptime });
      processes.delete(worker);
      const remembered = rememberedWorkers(pool);
      for (const id of pids.keys()) if (!processes.has(id) && !remembered.has(id)) pids.delete(id);
      for (const id of ends.keys()) if (!remembered.has(id)) ends.delete(id);
    },
    dropOldApps(pool) {
      for (const generation of apps.keys())
        if (!isGenerationNeeded(pool, generation, lastGeneration)) apps.delete(generation);
    },
  };
}
