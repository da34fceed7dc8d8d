/** Starts, pins and stops the measured processes, and counts their log lines. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  mkdtempSync,
  existsSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allowedCpus, isAlive } from './proc.js';

export const ROOT = join(__dirname, '..', '..');

/** How long any step may take. */
const TIMEOUT_MS = 60_000;

/** Called when this process ends for any reason, the latest first. */
const cleanups = new Set<() => void>();
process.once('exit', () => {
  for (const remove of [...cleanups].toReversed()) remove();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** @returns a function that removes the registration */
export function onExit(remove: () => void): () => void {
  cleanups.add(remove);
  return () => cleanups.delete(remove);
}

/** A temporary folder, in memory if possible, so that the disk does not affect the figures. */
export function folder(): Folder {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cabe-bench-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const unregister = onExit(remove);
  return {
    path,
    remove() {
      remove();
      unregister();
    },
  };
}

export interface Folder {
  readonly path: string;
  remove(): void;
}

/** The log file of a process. */
export class LogFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Truncates the file. Its writers append, so they continue at the new end. */
  empty(): void {
    const fd = openSync(this.path, 'a');
    ftruncateSync(fd);
    closeSync(fd);
  }

  lines(): string[] {
    if (!existsSync(this.path)) return [];
    return readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
  }

  /** Counts bytes, not text: after a round the file may have hundreds of megabytes. */
  count(): { readonly lines: number; readonly bytes: number } {
    const fd = openSync(this.path, 'r');
    const buffer = Buffer.allocUnsafe(1 << 20);
    let [lines, bytes] = [0, 0];
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      bytes += length;
      for (let at = buffer.indexOf(10); at !== -1 && at < length; at = buffer.indexOf(10, at + 1)) lines++;
    }
    closeSync(fd);
    return { lines, bytes };
  }
}

export interface Start {
  readonly node: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** For standard output; standard error is inherited. */
  readonly log?: LogFile;
  /** The CPU to which it is pinned. */
  readonly cpu?: number | undefined;
}

/** The environment of measured processes: only the given variables, and a PATH that begins with this Node. */
export function environment(node: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH: `${dirname(node)}:${PATH}`, HOME, NODE_ENV: 'production', HOST: '127.0.0.1', ...env };
}

export function start({
  node,
  args,
  env,
  cwd = ROOT,
  log,
  cpu,
}: Start): ChildProcess & { readonly pid: number } {
  const out = log === undefined ? 'ignore' : openSync(log.path, 'a');
  const [command, rest] = pinned(cpu, node, args);
  const child = spawn(command, rest, { cwd, env: environment(node, env), stdio: ['ignore', out, 2] });
  if (typeof out === 'number') closeSync(out);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  const unregister = onExit(() => child.kill('SIGKILL'));
  child.once('exit', unregister);
  return Object.assign(child, { pid });
}

/** Ends a process and waits for its end. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  child.kill(signal);
  await until(() => child.exitCode !== null || child.signalCode !== null, 'the process has ended');
}

/** Ends a process that is not our child, and waits for its end. */
export async function stopPid(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (isAlive(pid)) process.kill(pid, signal);
  await until(() => !isAlive(pid), `process ${pid} has ended`);
}

export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  everyMs = 10,
): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await sleep(everyMs);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** A CPU each for server and client, if there are two and `taskset` exists. */
export const CPUS: { readonly server: number | undefined; readonly client: number | undefined } = (() => {
  const [server, client] = allowedCpus();
  const canPin = client !== undefined && spawnSync('taskset', ['--version']).status === 0;
  return canPin ? { server, client } : { server: undefined, client: undefined };
})();

/** The command line that runs a program on one CPU, or without `cpu` on any. */
export function pinned(
  cpu: number | undefined,
  program: string,
  args: readonly string[],
): [string, string[]] {
  return cpu === undefined ? [program, [...args]] : ['taskset', ['-c', String(cpu), program, ...args]];
}
