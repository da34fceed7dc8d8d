/** Follows the logs of all workers of a service, as one. */
import http from 'node:http';
import { siblingsIn, type Sibling } from '../observability/service-folder.js';
import { parseLogLine } from './log-line.js';
import { LOG_PATH, LOG_TYPE } from './log-tail.js';
import type { LogLine } from './messages.js';

/** How soon a new worker is followed, in ms. */
const LOOK_MS = 500;

/** Longest line that is read, in characters. */
const MAX_LINE = 64 * 1024;

export interface LogReader {
  /** A line, in the order of each worker; lines of several workers come as they arrive. */
  line(line: LogLine): void;
  /** A worker's log has ended: most often the worker has. */
  ended?(worker: Sibling): void;
}

/**
 * Reads what is logged from now on, new workers included, until the returned function is called. A worker that logs
 * more than can be shown says how many lines are missing; nothing is kept here.
 * @param folders where the workers of the service have their sockets (`serviceFolders`), looked up again and again
 */
export function followLog(folders: () => readonly string[], reader: LogReader): () => void {
  /** By the path of their sockets. */
  const followed = new Map<string, http.ClientRequest>();

  function follow(worker: Sibling): void {
    const { path: socketPath } = worker;
    const request = http.get({ socketPath, path: LOG_PATH, agent: false }, response => {
      // Of another version: it stays listed, so that it is not asked again.
      if (response.headers['content-type'] !== LOG_TYPE) return void request.destroy();
      response.on('error', () => undefined); // `close` follows
      readLines(response, text => {
        const line = parseLogLine(text);
        if (line !== undefined) reader.line(line);
      });
      response.on('close', () => {
        // Followed again at the next look, if it is still there.
        if (followed.delete(socketPath)) reader.ended?.(worker);
      });
    });
    // It is dead, or does not listen yet.
    request.on('error', () => followed.delete(socketPath));
    followed.set(socketPath, request);
  }

  function look(): void {
    const workers = folders().flatMap(siblingsIn);
    const paths = new Set(workers.map(({ path }) => path));
    for (const path of followed.keys()) if (!paths.has(path)) followed.delete(path);
    for (const worker of workers) if (!followed.has(worker.path)) follow(worker);
  }

  look();
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    const requests = [...followed.values()];
    followed.clear();
    for (const request of requests) request.destroy();
  };
}

/** A line that is longer than anything a worker writes is left out. */
function readLines(response: http.IncomingMessage, take: (line: string) => void): void {
  let rest = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) rest = '';
    for (const line of lines) take(line);
  });
}
