/** Reports the workers that have outgrown `max_memory_restart`. */
import type { UsageMeter, UsageSource } from '../../platform/process-usage.js';
import type { WorkerId } from '../core/model.js';
import type { Process } from '../processes/workers.js';
import type { Supervisor } from '../supervisor.js';

export interface MemoryWatch {
  /** This worker has become ready: what it takes now it takes from its start on. */
  noteReady(worker: Process): void;
  /** One look at every worker. */
  look(supervisor: Supervisor): void;
}

export function createMemoryWatch(usage: UsageMeter, source: UsageSource): MemoryWatch {
  /** What each worker took when it became ready, or at the first look where that was not known. */
  const atReady = new Map<WorkerId, number>();

  function noteReady({ id, pid }: Process): void {
    const rss = source.of(pid)?.rss;
    if (rss !== undefined && !atReady.has(id)) atReady.set(id, rss);
  }

  return {
    noteReady,
    look(supervisor) {
      const processes = [...supervisor.processes()];
      const limitBytes = supervisor.app().maxMemoryBytes ?? Infinity;
      usage.keep(processes.map(({ pid }) => pid));
      for (const id of atReady.keys()) if (!processes.some(worker => worker.id === id)) atReady.delete(id);
      for (const worker of processes) {
        const bytes = usage.of(worker.pid)?.memory ?? 0;
        if (bytes <= limitBytes) continue;
        noteReady(worker);
        const hasGrown = (atReady.get(worker.id) ?? bytes) <= limitBytes;
        supervisor.send({ type: 'worker.memory-exceeded', worker: worker.id, bytes, limitBytes, hasGrown });
      }
    },
  };
}
