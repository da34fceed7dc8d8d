/** One diagnosis at a time in a service: each makes a worker slow, and a heap snapshot stops it. */
import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DIAGNOSING } from '../observability/service-folder.js';
import { isAlive } from '../platform/process-tree.js';

/**
 * The lock is a symbolic link to the pid of the worker, as Emacs' lock files: it is made with its content in one step.
 * @param folder of the service
 * @returns what ends it; or the pid of the worker that is being diagnosed
 * @throws Error of the system
 */
export function beginDiagnosis(folder: string): (() => void) | number {
  const path = join(folder, DIAGNOSING);
  const other = holderOf(path);
  if (other !== undefined && isAlive(other)) return other;
  if (other !== undefined) rmSync(path, { force: true });
  try {
    symlinkSync(String(process.pid), path);
  } catch (error) {
    const winner = holderOf(path);
    if (winner === undefined) throw error;
    return winner;
  }
  return () => rmSync(path, { force: true });
}

/**
 * For a worker that starts: after the restart of a container it may have the pid of one that was killed during its
 * diagnosis, perhaps for want of memory, and would block all others.
 */
export function endLeftover(folder: string): void {
  const path = join(folder, DIAGNOSING);
  try {
    if (holderOf(path) === process.pid) rmSync(path, { force: true });
  } catch {
    // the next diagnosis is refused; the worker is watched all the same
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number(readlinkSync(path));
  } catch {
    return undefined;
  }
}
