/**
 * Evaluates an app file in JavaScript in a short-lived process of its own: anything the file does to its process, its
 * environment or its standard output does not reach the service.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InvalidValue } from '../../errors.js';
import { decode, encode } from './data.js';
import { evaluate, RESULT_FD } from './evaluation.js';

/** What an app file consists of, or why it cannot be used. */
export type Found = { readonly content: unknown } | Omit<InvalidValue, 'name'>;

/** A line that the file has printed: to standard output (`info`) or to standard error (`warn`). */
export interface Printed {
  readonly level: 'info' | 'warn';
  readonly msg: string;
}

export interface Evaluated {
  readonly found: Found;
  readonly printed: readonly Printed[];
}

/** How long an evaluation may take, in ms. */
const DEADLINE_MS = 10_000;

/** How much of a result, and of what is printed to each output, is kept, in characters. */
const RESULT_LIMIT = 8 * 1_024 * 1_024;
const PRINTED_LIMIT = 64 * 1_024;

/** A file may be an ES module, which `require` takes with a warning. */
const FLAGS = ['--disable-warning=ExperimentalWarning'];

/** The program is passed as text: the folder from which this supervisor was started may be gone by now. */
const program = (): string =>
  // Loaders such as tsx name functions with a helper that does not exist there.
  `const __name = call => call; (${String(evaluate)})(process.argv[1], ${RESULT_FD}, ${String(encode)});`;

export interface EvaluateOptions {
  /** The environment that the file sees; ours by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long it may take, in ms. */
  readonly deadlineMs?: number;
}

/** @param file absolute path */
export async function evaluateFile(
  file: string,
  { env = process.env, deadlineMs = DEADLINE_MS }: EvaluateOptions = {},
): Promise<Evaluated> {
  try {
    const child = spawn(process.execPath, [...FLAGS, '-e', program(), file], {
      env: withoutInspector(env),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const ended = endOf(child);
    // It could not be started: without a free descriptor it has not even streams.
    if (child.pid === undefined) await ended;
    const out = collect(child.stdout as Readable, PRINTED_LIMIT);
    const error = collect(child.stderr as Readable, PRINTED_LIMIT);
    const found = await resultOf(child, ended, deadlineMs);
    // What was printed before the result may be read in the same turn, but after it.
    await nextTurn();
    // Processes that the file has started may keep them open.
    child.stdout?.destroy();
    child.stderr?.destroy();
    return { found, printed: [...linesOf('info', out), ...linesOf('warn', error)] };
  } catch (error) {
    const expected = 'an app file that can be evaluated in a process of its own';
    return { found: { expected, got: (error as Error).message }, printed: [] };
  }
}

/** Options that open an inspector, or wait for one, are meant for the supervisor. */
function withoutInspector(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, ...rest } = env;
  return NODE_OPTIONS === undefined
    ? rest
    : { ...rest, NODE_OPTIONS: NODE_OPTIONS.replace(/(^|\s)--inspect\S*/g, '') };
}

interface Collected {
  text: string;
  isCut: boolean;
}

function collect(stream: Readable, limit: number): Collected {
  const collected = { text: '', isCut: false };
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const rest = limit - collected.text.length;
    collected.isCut ||= chunk.length > rest;
    collected.text += chunk.slice(0, rest);
  });
  return collected;
}

function linesOf(level: Printed['level'], { text, isCut }: Collected): readonly Printed[] {
  const lines = text.split('\n').filter(line => line.trim() !== '');
  return [...lines, ...(isCut ? ['… and more'] : [])].map(msg => ({ level, msg }));
}

async function resultOf(child: ChildProcess, ended: Promise<string>, deadlineMs: number): Promise<Found> {
  const result = child.stdio[RESULT_FD] as Readable;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
    result.destroy();
  }, deadlineMs);
  // After its result it may take its time: handlers of its exit belong to the file.
  void ended.finally(() => clearTimeout(timer)).catch(() => undefined);

  const line = await firstLine(result);
  if (line !== undefined) return parsed(line);
  const how = await ended;
  return isLate
    ? { expected: `an app file that is evaluated within ${deadlineMs / 1_000} s`, got: 'no result' }
    : { expected: 'an app file that can be evaluated to its end', got: how };
}

/**
 * Resolves with the exit code or the signal, in words. The process does not outlive this one.
 * @throws Error if the process could not be started
 */
function endOf(child: ChildProcess): Promise<string> {
  const kill = (): void => void child.kill('SIGKILL');
  const release = [onExit(kill), ...FATAL_SIGNALS.map(signal => onFatalSignal(signal, kill))];
  return new Promise<string>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)).once('error', reject);
  }).finally(() => release.forEach(call => call()));
}

/** Signals that end this process for as long as nothing listens to them. */
const FATAL_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function onExit(call: () => void): () => void {
  process.once('exit', call);
  return () => process.off('exit', call);
}

function onFatalSignal(signal: NodeJS.Signals, call: () => void): () => void {
  const listener = (): void => {
    if (process.listenerCount(signal) > 1) return;
    call();
    process.off(signal, listener).kill(process.pid, signal);
  };
  process.on(signal, listener);
  return () => process.off(signal, listener);
}

/** Nothing where the stream ends before its first line does. */
function firstLine(stream: Readable): Promise<string | undefined> {
  return new Promise(resolve => {
    const collected = collect(stream, RESULT_LIMIT);
    stream
      .on('data', () => {
        const end = collected.text.indexOf('\n');
        if (end >= 0 || collected.isCut) resolve(collected.text.slice(0, end));
      })
      .once('close', () => resolve(undefined));
  });
}

function parsed(line: string): Found {
  const [, kind, json = ''] = /^(content|failure) (.*)$/.exec(line) ?? [];
  try {
    if (kind === 'content') return { content: decode(json) };
    if (kind === 'failure')
      return { expected: 'an app file in JavaScript', got: JSON.parse(json) as unknown };
  } catch {
    // as any other text
  }
  return {
    expected: `an app file that leaves descriptor ${RESULT_FD} alone`,
    got: line.length > 100 ? `${line.slice(0, 100)}…` : line,
  };
}
