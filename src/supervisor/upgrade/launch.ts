/** How this supervisor was started, by names that may lead to another Node and another release by now. */
import { isAbsolute, join, relative } from 'node:path';

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/**
 * @param cwd the folder by the name under which it was entered; behind a link, Node's own name for the program is where
 *   the link led to
 */
export function launchOf(cwd: string): Launch {
  const [, program = '', ...args] = process.argv;
  const below = relative(process.cwd(), program);
  const isBelow = !below.startsWith('..') && !isAbsolute(below);
  return {
    command: process.argv0,
    args: [...process.execArgv, isBelow ? join(cwd, below) : program, ...args],
    cwd,
  };
}
