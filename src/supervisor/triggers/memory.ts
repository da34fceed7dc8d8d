/** Reports the workers that have outgrown `max_memory_restart`. */
import type { Supervisor } from '../supervisor.js';
import type { UsageMeter } from '../../platform/process-usage.js';

/** One look at every worker. */
export function reportGrown(supervisor: Supervisor, usage: UsageMeter): void {
  const processes = [...supervisor.processes()];
  const limit = supervisor.app().maxMemoryBytes ?? Infinity;
  usage.keep(processes.map(({ pid }) => pid));
  for (const { id, pid } of processes) {
    const memory = usage.of(pid)?.memory ?? 0;
    if (memory > limit) supervisor.send({ type: 'worker.memory-exceeded', worker: id });
  }
}
