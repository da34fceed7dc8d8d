/**
 * Our own worker for tests of falls: it dies or hangs when it is told to, and writes down which connections it held in
 * that moment. So a lost request is excused only if its worker truly had its connection; one that waited in the
 * kernel, or was on a worker that drains, is not. It answers long requests, too.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure, Lost, Opened } from './failures.js';
import { LONG_ROUTES } from './long-requests.js';
import { APP_FILE, WORKER } from './processes.js';
import type { Report } from './strict-client.js';

/** What happens to a worker in the middle of its work: it ends, dies, hangs, throws what nobody catches, grows. */
export type Fall = 'exit' | 'SIGKILL' | 'SIGSTOP' | 'throw' | 'grow';

/** So much memory does a worker take that grows; a limit of {@link GROWTH_LIMIT} lies between it and a usual one. */
const GROWTH_MB = 320;
export const GROWTH_LIMIT = '300M';

/** Who ends with this code has been built to crash. */
export const CRASH_CODE = 7;

/** What a worker wrote down last. */
interface LastWords {
  readonly pid: number;
  readonly code: number | undefined;
  readonly at: number;
  /** The clients' ports of the connections that were open. */
  readonly held: readonly number[];
  /** Those of all that it has ever accepted, and when. */
  readonly accepted: readonly (readonly [port: number, at: number])[];
}

export interface Judgement {
  /** Requests on connections that a fallen worker held: nobody can save them. */
  readonly held: number;
  /** Requests that came when the service had stopped, and were never accepted. */
  readonly late: number;
  /** Requests for whose loss there is no excuse. */
  readonly unexcused: readonly Lost[];
}

/** How a service ended, for those who came too late. */
export interface End {
  readonly stoppedAt?: number;
  /** A connection that node:cluster's round robin holds when its last worker leaves is neither given away nor closed. */
  readonly mayHang?: boolean;
}

/** JavaScript in front of the worker's own. */
const stunts = (at: string): string => `
const { readFileSync, writeFileSync } = require('node:fs');
const open = new Map();
const accepted = [];
require('node:diagnostics_channel').subscribe('net.server.socket', ({ socket }) => {
  accepted.push([socket.remotePort, Date.now()]);
  open.set(socket, socket.remotePort);
  socket.once('close', () => open.delete(socket));
});
const lastWords = code => writeFileSync(
  ${JSON.stringify(at)} + '/words-' + process.pid,
  JSON.stringify({ pid: process.pid, code, at: Date.now(), held: [...open.values()], accepted }),
);
process.on('exit', lastWords);
process.on('SIGUSR2', () => {
  const fall = readFileSync(${JSON.stringify(at)} + '/fall-' + process.pid, 'utf8');
  if (fall === 'throw') return void setImmediate(() => { throw new Error('out of the blue'); });
  if (fall === 'grow') return void (globalThis.hoard = Buffer.alloc(${GROWTH_MB} * 2 ** 20, 1));
  if (fall === 'exit') return process.exit(1);
  lastWords();
  process.kill(process.pid, fall);
});
const http = require('node:http');
const { createServer } = http;
${LONG_ROUTES}
http.createServer = function (...needs) {
  const server = Reflect.apply(createServer, http, needs);
  const [answer] = server.listeners('request');
  return server
    .off('request', answer)
    .on('request', function (request, response) {
      if (!answersLong(request, response)) answer.call(this, request, response);
    });
};
`;

export class Stunts {
  private readonly at: string;
  private readonly fallen = new Set<number>();

  /** @param at a folder of the test's own */
  constructor(at: string) {
    this.at = at;
  }

  /** What comes in front of the worker's program. */
  prelude(): string {
    mkdirSync(this.at, { recursive: true });
    return stunts(this.at);
  }

  /** The real app file with such a worker, and fields of the test's own. @returns its path */
  appFile(fields: object = {}): string {
    writeFileSync(join(this.at, 'stunts.js'), this.prelude());
    writeFileSync(join(this.at, 'app.js'), `require('./stunts.js'); require(${JSON.stringify(WORKER)});`);
    const path = join(this.at, 'ecosystem.config.js');
    writeFileSync(
      path,
      `const { apps: [app] } = require(${JSON.stringify(APP_FILE)});
       module.exports = { apps: [{ ...app, script: './app.js', cwd: __dirname, ...${JSON.stringify(fields)} }] };`,
    );
    return path;
  }

  /** It happens when the worker's loop turns next. */
  fall(pid: number, how: Fall): void {
    writeFileSync(join(this.at, `fall-${pid}`), how);
    process.kill(pid, 'SIGUSR2');
    if (how !== 'throw' && how !== 'grow') this.fallen.add(pid);
  }

  /** Whether this worker has written down what it holds. */
  hasSpoken(pid: number): boolean {
    return existsSync(join(this.at, `words-${pid}`));
  }

  judge({ lost }: Pick<Report, 'lost'>, { stoppedAt = Infinity, mayHang = false }: End = {}): Judgement {
    const words = this.lastWords();
    const fallen = words.filter(({ pid, code }) => this.fallen.has(pid) || code === CRASH_CODE);
    const wasHeld = ({ kind, port, openedAt, failedAt }: Lost): boolean =>
      kind === 'reset' &&
      fallen.some(({ at, held }) => openedAt <= at && at <= failedAt && held.includes(port ?? 0));
    const wasAccepted = ({ port, openedAt, failedAt }: Lost): boolean =>
      words.some(({ accepted }) =>
        accepted.some(([client, at]) => client === port && openedAt <= at && at <= failedAt),
      );
    const mayFail = new Set<Failure>(mayHang ? ['reset', 'timed out'] : ['reset']);
    const isLate = (one: Lost): boolean =>
      one.failedAt >= stoppedAt && (one.kind === 'refused' || (mayFail.has(one.kind) && !wasAccepted(one)));
    const others = lost.filter(one => !wasHeld(one));
    const unexcused = others.filter(one => !isLate(one));
    return { held: lost.length - others.length, late: others.length - unexcused.length, unexcused };
  }

  /** The longest time that one of these connections waited until a worker accepted it. */
  longestWaitMs(opened: readonly Opened[]): number {
    const accepted = byPort(this.lastWords().flatMap(words => words.accepted));
    const waits = [...byPort(opened.map(({ port, at }) => [port, at]))].flatMap(([port, times]) =>
      times.flatMap((from, index) => {
        const until = times[index + 1] ?? Infinity; // then the same port is another connection's
        const taken = accepted.get(port)?.find(at => at >= from && at < until);
        return taken === undefined ? [] : taken - from;
      }),
    );
    return Math.max(0, ...waits);
  }

  private lastWords(): LastWords[] {
    return readdirSync(this.at)
      .filter(name => name.startsWith('words-'))
      .map(name => JSON.parse(readFileSync(join(this.at, name), 'utf8')) as LastWords);
  }
}

/** The times of each port, the first ones first. */
function byPort(all: readonly (readonly [port: number, at: number])[]): Map<number, number[]> {
  const times = new Map<number, number[]>();
  for (const [port, at] of all.toSorted(([, one], [, other]) => one - other))
    times.set(port, [...(times.get(port) ?? []), at]);
  return times;
}
