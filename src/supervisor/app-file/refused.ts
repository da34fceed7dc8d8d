/** Values of fields that have no meaning under a supervisor in the foreground, or on `node:cluster`. */
import { statSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import type { InvalidValue } from '../../errors.js';
import type { Read } from './written.js';

/** Refused with the reason: PM2 follows them, or ignores them. */
export function refuseValues(value: Read, cwd: string, problems: InvalidValue[]): void {
  const interpreter = value('interpreter');
  if (interpreter !== undefined && interpreter !== 'node' && !isThisNode(interpreter, cwd)) {
    const expected = `'node', or the Node that runs this supervisor (${process.execPath}); start the supervisor with another one, or use PM2 for another program`;
    problems.push({ name: 'interpreter', expected, got: interpreter });
  }
  if (!value('autostart')) {
    const expected = 'true, or not set: a supervisor in the foreground has nothing to do without workers';
    problems.push({ name: 'autostart', expected, got: false });
  }
}

/** Whatever link leads to it. node:cluster starts workers with no other. */
function isThisNode(program: string, cwd: string): boolean {
  const { execPath } = process;
  const [other, own] = [look(resolve(cwd, program)), look(execPath)];
  return program === execPath || (own !== undefined && other?.dev === own.dev && other.ino === own.ino);
}

/** Nothing where nothing can be found out about it. */
export function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // below a folder that is closed, or a file; a name that is too long
  }
}
