/** What else the machine was busy with while contenders were measured. */
import type { Running } from './contenders.js';
import { childrenOf, machineCpuMs, ownCpuMs, totalCpuMs } from './proc.js';

/**
 * @param already the contenders that run by now; what they have spent so far is not of this round
 * @returns what tells, while the contenders given to it still run, how many cores were busy with something that is not
 *   ours
 */
export function watchOthers(already: readonly Running[] = []): (running: readonly Running[]) => number {
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
