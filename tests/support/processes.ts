/** Real processes for tests: started, read line by line, awaited, and never left behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeServiceFolders } from '../../src/observability/service-folder.js';

export const ROOT = join(__dirname, '..', '..');
export const WORKER = join(ROOT, 'dist', 'index.js');
export const CLUSTER = join(ROOT, 'dist', 'cluster.js');
export const APP_FILE = join(ROOT, 'ecosystem.config.js');

const { PATH = '', HOME = '', EXPRESS_TUNING = 'on' } = process.env;

/** A PM2 that runs nothing: a command that finds no supervisor must not meet the PM2 of a test that runs beside it. */
export const NO_PM2 = join(tmpdir(), 'cabe-no-pm2');

/**
 * What processes under test get from our own shell; `EXPRESS_TUNING=off npm test` tries the plain ways. The features of
 * `src/api.ts` have tests of their own: no other test depends on what they are.
 */
const SHELL = { PATH, HOME, EXPRESS_TUNING, FEATURES: 'off', PM2_HOME: NO_PM2 };

/** How long anything may take before a test calls it lost; far above what it takes on a busy machine. */
const PATIENCE_MS = 20_000;

/** A line of the log; what is not JSON has only `msg`. */
export interface LogLine {
  readonly level?: number;
  readonly pid?: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process under test and everything it has said. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** Standard output and error as they came. */
  readonly text: () => string;
  /** The first line that matches, now or later. */
  said(pattern: RegExp | ((line: LogLine) => boolean)): Promise<LogLine>;
  /** Resolves when the process has ended; patience is counted from the moment of asking. */
  readonly ended: Promise<Ended>;
  kill(signal?: NodeJS.Signals): void;
}

const running = new Set<Running>();
const folders = new Set<string>();
const clients = new Set<Client>();

/** What sends requests until it is stopped. */
interface Client {
  stop(): Promise<unknown>;
}

/** A client that a failed test has not stopped ends in `cleanUp`: Jest would wait for it forever. */
export function clientStarted(client: Client): void {
  clients.add(client);
}

export function clientStopped(client: Client): void {
  clients.delete(client);
}

/**
 * Starts a node process; its environment is only what is given, over a PATH.
 * @param launcher a command that starts it in its turn and becomes it, such as `taskset -c 0`
 */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = ROOT,
  launcher: readonly string[] = [],
): Running {
  if (!existsSync(CLUSTER)) throw new Error('dist is missing; run "npm test", which builds first');
  const command = [...launcher, process.execPath, ...args];
  return follow(
    spawn(command[0] ?? '', command.slice(1), {
      cwd,
      env: { ...SHELL, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  );
}

/** Reads a process line by line from now on; it was spawned `detached`, so that its children can be ended with it. */
export function follow(child: ChildProcess): Running {
  const lines: LogLine[] = [];
  const listeners = new Set<() => void>();
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map(parse));
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Ended>(resolve => {
    child.once('close', (code, signal) => {
      running.delete(it);
      for (const listener of listeners) listener();
      resolve({ code, signal });
    });
  });
  const it: Running = {
    child,
    pid: child.pid ?? 0,
    lines,
    text: () => text,
    get ended() {
      return within(ended, () => `the process did not end; it said\n${text}`);
    },
    said(pattern) {
      const matches = pattern instanceof RegExp ? (line: LogLine) => pattern.test(line.msg) : pattern;
      const found = new Promise<LogLine>((resolve, reject) => {
        const look = (): void => {
          const line = lines.find(matches);
          if (line !== undefined) resolve(line);
          else if (!running.has(it))
            reject(new Error(`the process ended without saying ${String(pattern)}; it said\n${text}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      });
      return within(found, () => `no line matched ${String(pattern)}; what was said is\n${text}`);
    },
    kill: (signal = 'SIGTERM') => void child.kill(signal),
  };
  running.add(it);
  return it;
}

/** Supervisors that another process than the test's own child has started: they are known by pid alone. */
const supervisors = new Set<number>();

/** The folders of this supervisor's service are removed after the test, too. */
export const noteSupervisor = (pid: number): void => void supervisors.add(pid);

/** Ends every process and client that a test has left running, and removes its folders. Call it in `afterEach`. */
export async function cleanUp(): Promise<void> {
  const left = [...running];
  for (const { pid } of left) killGroup(pid);
  await Promise.all(left.map(({ ended }) => ended));
  await Promise.all([...clients].map(client => client.stop()));
  for (const pid of [...left.map(({ pid: own }) => own), ...supervisors]) removeServiceFolders(pid);
  supervisors.clear();
  for (const path of folders) rmSync(path, { recursive: true, force: true });
  folders.clear();
}

/** Kills a process that was spawned `detached`, with its children. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // no process of the group is left
  }
}

/** A folder of this test's own. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cabe-'));
  folders.add(path);
  return path;
}

/** Ports that one process of tests gives out, before it comes round to the first again. */
const PORTS_EACH = 64;
let given = Date.now() % PORTS_EACH;

/**
 * A port that no process uses, and that none takes before the test does: it is none of those from which the system
 * chooses by itself, as for every outgoing connection, and other test processes give out others.
 */
export async function freePort(): Promise<number> {
  const [first, end] = portsOfNobody();
  const processes = Math.floor((end - first) / PORTS_EACH);
  const own = first + (process.pid % processes) * PORTS_EACH;
  for (let tried = 0; tried < PORTS_EACH; tried++) {
    const port = own + (given++ % PORTS_EACH);
    if (await isFree(port)) return port;
  }
  throw new Error(`every port from ${own} to ${own + PORTS_EACH - 1} is taken`);
}

/** Below the ports that the system gives out (Linux says which those are); above them where it begins low. */
function portsOfNobody(): readonly [first: number, end: number] {
  const path = '/proc/sys/net/ipv4/ip_local_port_range';
  const range = existsSync(path) ? readFileSync(path, 'utf8').trim().split(/\s+/).map(Number) : [];
  const [low = 32_768, high = 60_999] = range;
  return low - 10_000 > 65_535 - high ? [10_000, low] : [high + 1, 65_536];
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly json: () => unknown;
}

/** One request on a connection of its own. */
export function request(
  port: number,
  path: string,
  options: http.RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const sent = http.request({ host: '127.0.0.1', port, path, agent: false, ...rest }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as unknown,
        }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Resolves once the condition holds; looks again every few milliseconds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** Whether a process exists and is no zombie, which a parent that is not ours may be slow to reap. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc') || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export function parse(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'msg' in parsed) return parsed as LogLine;
  } catch {
    // not every line is JSON
  }
  return { msg: line };
}

/** The same promise; it rejects with this description where it takes longer. */
export function within<T>(promise: Promise<T>, describe: () => string, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(describe())), patienceMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
