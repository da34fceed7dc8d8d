/** A native service of ours whose lines are judged as they come, not kept: a run of a million requests logs two million. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Status } from '../../../src/supervisor/report/status.js';
import { CLUSTER, freePort, ROOT, request, until } from '../../support/processes.js';

const { PATH = '', HOME = '' } = process.env;

/** Level of pino's `error`. */
const ERROR = 50;

export interface Observed {
  readonly port: number;
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly socket: string;
  /** Lines that are no JSON, or of level error or above. */
  readonly complaints: readonly string[];
  /** Every line that is no access line, the last ones only. */
  readonly said: readonly string[];
  lines(): number;
  status(): Promise<Status>;
  /** The pids of the workers that serve. */
  workers(): Promise<readonly number[]>;
  /** @returns the exit code */
  stop(): Promise<number | null>;
}

export interface ObserveOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly workers?: number;
}

export async function observe({ env = {}, args = [], workers = 2 }: ObserveOptions): Promise<Observed> {
  const port = await freePort();
  const runDir = mkdtempSync(join(tmpdir(), 'cabe-'));
  const all = { PATH, HOME, FEATURES: 'off', PORT: String(port), RUN_DIR: runDir, ...env };
  const child = spawn(process.execPath, [CLUSTER, ...args], {
    cwd: ROOT,
    env: { WEB_CONCURRENCY: String(workers), ...all },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const socket = join(runDir, 'supervisor.sock');
  const { complaints, said, lines } = judge(child);
  const status = async (): Promise<Status> =>
    (await request(0, '/status', { socketPath: socket })).json() as Status;
  const serving = async (): Promise<readonly number[]> =>
    (await status()).workers.flatMap(({ state, pid }) => (state === 'ready' && pid !== null ? [pid] : []));
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the service ended at once:\n${said.join('\n')}`);
    return (await serving().catch(() => [])).length === workers;
  }, 'the service serves').catch((error: unknown) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    throw error;
  });
  return {
    port,
    pid: child.pid ?? 0,
    env: all,
    socket,
    complaints,
    said,
    lines,
    status,
    workers: serving,
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      rmSync(runDir, { recursive: true, force: true });
      return code;
    },
  };
}

/** A target such as `http://[::1]x/` makes Node print this, once in a process (docs/reliability.md). */
const OF_NODE = /\[DEP0170\] DeprecationWarning|^\(Use `node --trace-deprecation/;

/** Lines other than those of requests that are kept. */
const KEPT = 500;

function judge(child: ChildProcess): Pick<Observed, 'complaints' | 'said' | 'lines'> {
  const complaints: string[] = [];
  const said: string[] = [];
  let count = 0;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', line => {
      count++;
      const level = levelOf(line);
      if ((level === undefined && !OF_NODE.test(line)) || (level ?? 0) >= ERROR) complaints.push(line);
      if (line.includes('"requestId"')) return;
      said.push(line);
      if (said.length > KEPT) said.shift();
    });
  }
  return { complaints, said, lines: () => count };
}

/** Nothing for a line that is not JSON: a client must not be able to write one. */
function levelOf(line: string): number | undefined {
  try {
    const { level } = JSON.parse(line) as { level?: number };
    return level;
  } catch {
    return undefined;
  }
}
