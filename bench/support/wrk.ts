/** Load by wrk: a closed loop over a number of connections. */
import { execFile, spawnSync } from 'node:child_process';
import { pinned } from './processes.js';

export interface Load {
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
  /** A new connection for every request. */
  readonly close?: boolean;
  readonly cpu?: number | undefined;
  /** Lines such as `Accept: text/plain`. */
  readonly headers?: readonly string[];
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx, and connections that failed. */
  readonly errors: number;
}

/** @throws Error with how to install wrk */
export function wrkVersion(): string {
  const { stdout, error } = spawnSync('wrk', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) {
    throw new Error('wrk is needed; on Debian and Ubuntu "apt-get install wrk" installs it');
  }
  return /^wrk (?:debian\/)?(\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

export function wrk({
  port,
  seconds,
  connections,
  close = false,
  cpu,
  headers = [],
}: Load): Promise<LoadResult> {
  const [command, args] = pinned(cpu, 'wrk', [
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    '--timeout=10s',
    '--latency',
    ...(close ? ['--header=Connection: close'] : []),
    ...headers.map(line => `--header=${line}`),
    `http://127.0.0.1:${port}/health`,
  ]);
  return new Promise((resolve, reject) => {
    execFile(command, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(readWrk(stdout));
      else reject(new Error(`wrk failed: ${stderr}`));
    });
  });
}

/** Parses the output of wrk. */
export function readWrk(text: string): LoadResult {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  const broken = sockets.slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec: +([\d.]+)/),
    p50Ms: milliseconds(/ 50% +([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/ 99% +([\d.]+)(us|ms|s)/.exec(text)),
    errors: broken + number(/Non-2xx or 3xx responses: (\d+)/),
  };
}

function milliseconds(found: RegExpExecArray | null): number {
  const [, amount = 'NaN', unit = 'ms'] = found ?? [];
  return Number(amount) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? Number.NaN);
}
