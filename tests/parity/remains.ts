/** Who is left of a play: every process that it starts carries the play's mark in its environment. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { isAlive } from '../support/processes.js';

/** A pid alone is nobody's name: on a machine that starts many processes it is soon another's. */
export const MARK = 'PARITY_PLAY';

/**
 * All that live with this mark, whoever started them and whether or not anybody ever listed them.
 * @param known the processes that were seen, for systems that do not show an environment
 */
export function remainsOf(mark: string, known: Iterable<number>): number[] {
  if (!existsSync('/proc/self/environ')) return [...known].filter(isAlive);
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry) && environmentOf(entry).includes(`${MARK}=${mark}`))
    .map(Number)
    .filter(isAlive);
}

/** A process as its reader would look for it: `4711 (sleep 60)`. */
export const commandOf = (pid: number): string => `${pid} (${read(String(pid), 'cmdline').join(' ').trim()})`;

const environmentOf = (pid: string): readonly string[] => read(pid, 'environ');

/** Empty for those that are gone by now, and for others' that are closed to us. */
function read(pid: string, what: 'cmdline' | 'environ'): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

/** Whether somebody could have this port now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, () => server.close(() => resolve(true)));
  });
}
