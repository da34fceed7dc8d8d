/**
 * Our own worker with fault injection: it exits, crashes or hangs on demand, and records which connections it held at
 * that moment. So a lost request is excused only if its worker really had its connection; one that waited in the
 * kernel, or was on a draining worker, is not. It answers long requests, too.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure, Lost, Opened } from './failures.js';
import { LONG_ROUTES } from './long-requests.js';
import { APP_FILE, WORKER } from './processes.js';
import type { Report } from './strict-client.js';

/**
 * What happens to a worker: it exits, is killed, hangs, throws an uncaught exception, grows, or takes memory until the
 * kernel kills it.
 */
export type Fault = 'exit' | 'SIGKILL' | 'SIGSTOP' | 'throw' | 'grow' | 'devour' | ChannelFault;

/** What a worker writes to its channel, again and again, until the supervisor has killed it. */
export const CHANNEL_FAULTS = {
  garbage: 'not json\n',
  'an endless message': 'x'.repeat(65_536),
  'a flood of messages': '{"own":1}\n'.repeat(5_000),
  'an impossible port':
    '{"cmd":"NODE_CLUSTER","act":"queryServer","seq":1,"address":"x","port":99999,"addressType":4}\n',
} as const;

export type ChannelFault = keyof typeof CHANNEL_FAULTS;

/** How much a worker grows; {@link GROWTH_LIMIT} lies between its memory and the usual. */
const GROWTH_MB = 320;
export const GROWTH_LIMIT = '300M';

/** Exit code of the builds that crash on purpose. */
export const CRASH_CODE = 7;

/** What a worker recorded last. */
interface WorkerRecord {
  readonly pid: number;
  readonly code: number | undefined;
  readonly at: number;
  /** The clients' ports of the connections that were open. */
  readonly held: readonly number[];
  /** Those of all that it has ever accepted, and when. */
  readonly accepted: readonly (readonly [port: number, at: number])[];
}

export interface Judgement {
  /** Requests on connections of a worker with a fault: lost by necessity. */
  readonly held: number;
  /** Requests that came when the service had stopped, and were never accepted. */
  readonly late: number;
  /** Requests that no fault explains. */
  readonly unexcused: readonly Lost[];
}

/** How a service ended, to classify requests that came too late. */
export interface End {
  readonly stoppedAt?: number;
  /** A connection that node:cluster's round robin holds when its last worker exits is neither assigned nor closed. */
  readonly mayHang?: boolean;
}

/** From the time since boot, which all processes share and which cannot be set, to the time of the system, in ms. */
const CLOCK_OFFSET_MS = performance.timeOrigin + performance.now() - Number(process.hrtime.bigint()) / 1e6;

/** JavaScript in front of the worker's own. */
const faultInjection = (at: string): string => `
const { readFileSync, writeFileSync, writeSync } = require('node:fs');
const now = () => Math.floor(${CLOCK_OFFSET_MS} + Number(process.hrtime.bigint()) / 1e6);
const open = new Map();
const accepted = [];
require('node:diagnostics_channel').subscribe('net.server.socket', ({ socket }) => {
  accepted.push([socket.remotePort, now()]);
  open.set(socket, socket.remotePort);
  socket.once('close', () => open.delete(socket));
});
const record = code => writeFileSync(
  ${JSON.stringify(at)} + '/record-' + process.pid,
  JSON.stringify({ pid: process.pid, code, at: now(), held: [...open.values()], accepted }),
);
process.on('exit', record);
const channelFaults = ${JSON.stringify(CHANNEL_FAULTS)};
function breakChannel(text) {
  for (const data = Buffer.from(text), channel = 3; ; )
    for (let at = 0; at < data.length; )
      try {
        at += writeSync(channel, data, at);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
}
process.on('SIGUSR2', () => {
  const fault = readFileSync(${JSON.stringify(at)} + '/fault-' + process.pid, 'utf8');
  if (fault === 'throw') return void setImmediate(() => { throw new Error('out of the blue'); });
  if (fault === 'grow') return void (globalThis.hoard = Buffer.alloc(${GROWTH_MB} * 2 ** 20, 1));
  if (fault === 'exit') return process.exit(1);
  record();
  if (Object.hasOwn(channelFaults, fault)) breakChannel(channelFaults[fault]);
  if (fault === 'devour') {
    // A gigabyte at most: where nothing limits it, the machine survives.
    globalThis.hoard = Array.from({ length: 32 }, () => Buffer.alloc(2 ** 25, 1));
    return;
  }
  process.kill(process.pid, fault);
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

export class FailingWorkers {
  private readonly at: string;
  private readonly faulted = new Set<number>();

  /** @param at a folder of the test's own */
  constructor(at: string) {
    this.at = at;
  }

  /** What comes in front of the worker's program. */
  prelude(): string {
    mkdirSync(this.at, { recursive: true });
    return faultInjection(this.at);
  }

  /** The real app file with such a worker, and fields of the test's own. @returns its path */
  appFile(fields: object = {}): string {
    writeFileSync(join(this.at, 'failing-workers.js'), this.prelude());
    writeFileSync(
      join(this.at, 'app.js'),
      `require('./failing-workers.js'); require(${JSON.stringify(WORKER)});`,
    );
    const path = join(this.at, 'ecosystem.config.js');
    writeFileSync(
      path,
      `const { apps: [app] } = require(${JSON.stringify(APP_FILE)});
       module.exports = { apps: [{ ...app, script: './app.js', cwd: __dirname, ...${JSON.stringify(fields)} }] };`,
    );
    return path;
  }

  /** It happens when the worker's loop turns next. */
  inject(pid: number, fault: Fault): void {
    writeFileSync(join(this.at, `fault-${pid}`), fault);
    process.kill(pid, 'SIGUSR2');
    if (fault !== 'throw' && fault !== 'grow') this.faulted.add(pid);
  }

  /** Whether this worker has recorded what it holds. */
  hasRecorded(pid: number): boolean {
    return existsSync(join(this.at, `record-${pid}`));
  }

  judge({ lost }: Pick<Report, 'lost'>, { stoppedAt = Infinity, mayHang = false }: End = {}): Judgement {
    const records = this.readRecords();
    const faulted = records.filter(({ pid, code }) => this.faulted.has(pid) || code === CRASH_CODE);
    const wasHeld = ({ kind, port, openedAt, failedAt }: Lost): boolean =>
      kind === 'reset' &&
      faulted.some(({ at, held }) => openedAt <= at && at <= failedAt && held.includes(port ?? 0));
    const wasAccepted = ({ port, openedAt, failedAt }: Lost): boolean =>
      records.some(({ accepted }) =>
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
    const accepted = byPort(this.readRecords().flatMap(one => one.accepted));
    const waits = [...byPort(opened.map(({ port, at }) => [port, at]))].flatMap(([port, times]) =>
      times.flatMap((from, index) => {
        const until = times[index + 1] ?? Infinity; // then the same port is another connection's
        const taken = accepted.get(port)?.find(at => at >= from && at < until);
        return taken === undefined ? [] : taken - from;
      }),
    );
    return Math.max(0, ...waits);
  }

  private readRecords(): WorkerRecord[] {
    return readdirSync(this.at)
      .filter(name => name.startsWith('record-'))
      .map(name => JSON.parse(readFileSync(join(this.at, name), 'utf8')) as WorkerRecord);
  }
}

/** The times of each port, the first ones first. */
function byPort(all: readonly (readonly [port: number, at: number])[]): Map<number, number[]> {
  const times = new Map<number, number[]>();
  for (const [port, at] of all.toSorted(([, one], [, other]) => one - other))
    times.set(port, [...(times.get(port) ?? []), at]);
  return times;
}
