/** The program of the short-lived process that evaluates an app file in JavaScript. */

/** The descriptor on which the result leaves the process: one line, `content` or `failure` and its JSON. */
export const RESULT_FD = 3;

/**
 * Evaluates the file and reports what it exports. Whatever the file starts besides ends with the process.
 *
 * The source text of this function is run in another process, so it uses nothing from outside.
 */
export function evaluate(file: string, fd: number, encode: (content: unknown) => string): void {
  const { writeSync } = require('node:fs') as typeof import('node:fs');
  // The file may replace it.
  const { exit } = process;

  process.on('uncaughtException', (error: unknown) => report('failure', JSON.stringify(reasonOf(error))));

  const content: unknown = require(file);
  // A promise that is rejected at once has failed by then.
  setImmediate(() => report('content', encode(content)));

  function reasonOf(error: unknown): string {
    try {
      const { message } = (error ?? {}) as { message?: unknown };
      return typeof message === 'string' ? message : String(error);
    } catch {
      return 'an error that cannot be read';
    }
  }

  function report(kind: string, json: string): void {
    const bytes = Buffer.from(`${kind} ${json}\n`);
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    exit.call(process, 0);
  }
}
