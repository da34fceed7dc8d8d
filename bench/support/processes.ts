/** Processes that are measured: started, pinned, their lines counted, stopped by their pid, never left behind. */
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

/** How long anything may take before it is called lost. */
const PATIENCE_MS = 60_000;

/** Called when this process ends, however, the latest first: whatever is still running then is killed. */
const leftovers = new Set<() => void>();
process.once('exit', () => {
  for (const remove of [...leftovers].toReversed()) remove();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** @returns what to call once there is nothing to clean up any more */
export function onLeave(remove: () => void): () => void {
  leftovers.add(remove);
  return () => leftovers.delete(remove);
}

/** A folder of this run's own; in memory where there is such a place, so that no disk has a say in the figures. */
export function folder(): Folder {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cabe-bench-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const forget = onLeave(remove);
  return {
    path,
    remove() {
      remove();
      forget();
    },
  };
}

export interface Folder {
  readonly path: string;
  remove(): void;
}

/** A file to which a process logs, and in which its lines are counted. */
export class LogFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Forgets what is there. Whoever writes to it appends, and goes on at the new end. */
  empty(): void {
    const fd = openSync(this.path, 'a');
    ftruncateSync(fd);
    closeSync(fd);
  }

  lines(): string[] {
    if (!existsSync(this.path)) return [];
    return readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
  }

  /** Counts without reading it as text: after a round it may hold hundreds of megabytes. */
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
  /** Standard output goes here; errors go where ours go. */
  readonly log?: LogFile;
  /** The CPU it has to stay on. */
  readonly cpu?: number | undefined;
}

/** The environment of everything that is measured: only what is given, and a PATH on which that Node comes first. */
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
  const forget = onLeave(() => child.kill('SIGKILL'));
  child.once('exit', forget);
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
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`It never came true that ${what}`);
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

/** Server and client on a CPU of their own, where there are two and a way to pin. */
export const CPUS: { readonly server: number | undefined; readonly client: number | undefined } = (() => {
  const [server, client] = allowedCpus();
  const canPin = client !== undefined && spawnSync('taskset', ['--version']).status === 0;
  return canPin ? { server, client } : { server: undefined, client: undefined };
})();

/** The command that runs a program on one CPU; the program itself, where it may run anywhere. */
export function pinned(
  cpu: number | undefined,
  program: string,
  args: readonly string[],
): [string, string[]] {
  return cpu === undefined ? [program, [...args]] : ['taskset', ['-c', String(cpu), program, ...args]];
}
