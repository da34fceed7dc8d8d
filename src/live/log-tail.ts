/** The end of one worker's log, for its followers: `GET /log` on the worker's socket. Runs in the observer thread. */
import type { ServerResponse } from 'node:http';
import type { LogBatch } from '../platform/log-copy.js';
import { linesMissing, logLineOf, type Writer } from './log-line.js';

export const LOG_PATH = '/log';

/** Newline-delimited JSON, one `LogLine` a line. */
export const LOG_TYPE = 'application/x-ndjson';

/** So many may follow one worker: the live page, however many look at it, is one. */
const MAX_FOLLOWERS = 8;

/** What may wait for one follower, in bytes; further lines are counted instead. */
const MAX_WAITING = 1024 * 1024;

export interface LogTail {
  /** Lines of the main thread's logger. */
  add(batch: LogBatch): void;
  /** Streams every line from now on, until the follower leaves. */
  follow(response: ServerResponse): void;
}

interface Follower {
  readonly response: ServerResponse;
  /** Lines that it was too slow for. */
  missed: number;
}

/** @param want called when the first follower has come (true), and when the last has left (false) */
export function createLogTail(writer: Writer, want: (isWanted: boolean) => void): LogTail {
  const followers = new Set<Follower>();

  function send(follower: Follower, lines: readonly object[]): void {
    const { response, missed } = follower;
    if (response.writableLength > MAX_WAITING) {
      follower.missed += lines.length;
      return;
    }
    follower.missed = 0;
    const notice =
      missed === 0 ? [] : [linesMissing(missed, writer, 'they were read too slowly', Date.now())];
    response.write([...notice, ...lines].map(line => `${JSON.stringify(line)}\n`).join(''));
  }

  return {
    add({ lines: text, dropped }) {
      const now = Date.now();
      const lines = text
        .split('\n')
        .filter(line => line !== '')
        .map(line => logLineOf(line, writer, now));
      if (dropped > 0) lines.push(linesMissing(dropped, writer, 'there are too many to show', now));
      for (const follower of followers) send(follower, lines);
    },
    follow(response) {
      if (followers.size === MAX_FOLLOWERS) {
        response.writeHead(503).end(`${MAX_FOLLOWERS} follow the log of this worker already\n`);
        return;
      }
      const follower = { response, missed: 0 };
      response.writeHead(200, { 'Content-Type': LOG_TYPE }).flushHeaders();
      response.on('error', () => undefined); // `close` follows
      response.on('close', () => {
        followers.delete(follower);
        if (followers.size === 0) want(false);
      });
      followers.add(follower);
      if (followers.size === 1) want(true);
    },
  };
}
