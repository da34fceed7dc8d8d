/** Finds the processes of a run: each has the id of the run in its environment. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { isAlive } from '../support/processes.js';

/** The variable with the id of the run. A pid is not enough: the system reuses pids. */
export const RUN_ID = 'PARITY_RUN';

/**
 * The living processes of a run, also those that were never listed.
 * @param known processes that were listed, for systems that do not show the environment of a process
 */
export function processesOf(run: string, known: Iterable<number>): number[] {
  if (!existsSync('/proc/self/environ')) return [...known].filter(isAlive);
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry) && environmentOf(entry).includes(`${RUN_ID}=${run}`))
    .map(Number)
    .filter(isAlive);
}

/** A process with its command line: `4711 (sleep 60)`. */
export const describeProcess = (pid: number): string =>
  `${pid} (${read(String(pid), 'cmdline').join(' ').trim()})`;

const environmentOf = (pid: string): readonly string[] => read(pid, 'environ');

/** Empty for a process that has ended, or that belongs to another user. */
function read(pid: string, what: 'cmdline' | 'environ'): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

/** Whether the port is free. */
export function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, () => server.close(() => resolve(true)));
  });
}
