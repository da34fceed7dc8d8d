/** Looks at the memory of every worker now and then, and reports those that outgrew `max_memory_restart`. */
import type { Supervisor } from './supervisor.js';
import type { UsageMeter } from './usage.js';

const INTERVAL_MS = 5_000;

/** @returns a function that ends the watch. */
export function watchMemory(supervisor: Supervisor, usage: UsageMeter): () => void {
  const timer = setInterval(() => {
    const limit = supervisor.app().maxMemoryBytes ?? Infinity;
    for (const { id, pid } of supervisor.processes()) {
      const memory = usage.of(pid)?.memory ?? 0;
      if (memory > limit) supervisor.send({ type: 'worker.grown', worker: id });
    }
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
