/** What else the machine was busy with while a contender was started and measured. */
import type { Running } from './contenders.js';
import { childrenOf, machineCpuMs, ownCpuMs, totalCpuMs } from './proc.js';

/**
 * Call it before the contender is launched.
 * @returns what tells, while the contender still runs, how many cores were busy with something that is not ours
 */
export function watchOthers(): (running: Running) => number {
  const before = { machine: machineCpuMs(), own: ownCpuMs(), at: performance.now() };
  return running => {
    const supervisor = running.supervisor() ?? running.workers()[0] ?? 0;
    const contender = [supervisor, ...childrenOf(supervisor)].reduce((sum, pid) => sum + totalCpuMs(pid), 0);
    const ours = ownCpuMs() - before.own + contender;
    return Math.max(0, (machineCpuMs() - before.machine - ours) / (performance.now() - before.at));
  };
}
