/** CPU load of other processes while contenders are measured. */
import type { Running } from './contenders.js';
import { childrenOf, machineCpuMs, ownCpuMs, totalCpuMs } from './proc.js';

/**
 * @param already contenders that run already; their CPU time so far does not belong to this round
 * @returns a function that gives the cores used by other processes since; call it while the contenders still run
 */
export function measureOtherLoad(already: readonly Running[] = []): (running: readonly Running[]) => number {
  const before = { machine: machineCpuMs(), ours: ownCpuMs() + spentBy(already), at: performance.now() };
  return running => {
    const ours = ownCpuMs() + spentBy(running) - before.ours;
    return Math.max(0, (machineCpuMs() - before.machine - ours) / (performance.now() - before.at));
  };
}

function spentBy(running: readonly Running[]): number {
  return running
    .map(each => each.supervisor() ?? each.workers()[0] ?? 0)
    .flatMap(pid => [pid, ...childrenOf(pid)])
    .reduce((sum, pid) => sum + totalCpuMs(pid), 0);
}
