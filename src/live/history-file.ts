/** The history outlives the worker that holds the port: it is appended to a file beside the sockets of the service. */
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HISTORY } from '../observability/service-folder.js';
import { historyLines, MAX_HISTORY, NO_HISTORY, parseHistory, type History } from './history.js';

/** A file of so many bytes is written anew, from what is still kept. */
const MAX_FILE = 2 * MAX_HISTORY;

export interface HistoryFile {
  /** What the holders before this one have seen. */
  readonly history: History;
  /**
   * @param lines with their line ends
   * @param whole the history with these lines
   */
  add(lines: string, whole: History): void;
}

/** @param failed called once: the history will end with this process */
export function openHistory(folder: string, failed: (error: Error) => void): HistoryFile {
  const path = join(folder, HISTORY);
  let bytes = 0;
  let written = Promise.resolve();
  let hasFailed = false;

  function found(): History {
    try {
      bytes = statSync(path).size;
      return parseHistory(readEnd(path, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') writeFirst();
      else fail(error as Error);
      return NO_HISTORY;
    }
  }

  function writeFirst(): void {
    try {
      writeFileSync(path, '', { mode: 0o600 });
    } catch (error) {
      fail(error as Error);
    }
  }

  function fail(error: Error): void {
    if (!hasFailed) failed(error);
    hasFailed = true;
  }

  async function write(lines: string, whole: History): Promise<void> {
    const grown = bytes + Buffer.byteLength(lines);
    if (grown > MAX_FILE) await rewrite(whole);
    else await appendFile(path, lines, { mode: 0o600 });
    bytes = grown > MAX_FILE ? MAX_HISTORY : grown;
  }

  async function rewrite(whole: History): Promise<void> {
    const beside = `${path}.${process.pid}`;
    try {
      await writeFile(beside, historyLines(whole), { mode: 0o600 });
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  return {
    history: found(),
    add(lines, whole) {
      written = written.then(() => write(lines, whole)).catch(fail);
    },
  };
}

/** The end of a file that may be longer than it should be: its oldest lines are left out. */
function readEnd(path: string, size: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const end = Buffer.alloc(Math.min(size, MAX_FILE));
    return end.subarray(0, readSync(file, end, 0, end.length, size - end.length));
  } finally {
    closeSync(file);
  }
}
