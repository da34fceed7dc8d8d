/** Random app files for what reads them: in this process, and by the commands `check` and `reload`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.js';
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { readAppFile } from '../../../src/supervisor/app-file/read.js';
import { resolveService } from '../../../src/supervisor/app-file/service.js';
import { CLUSTER, request, ROOT } from '../../support/processes.js';
import { fileOf, type FuzzedFile } from './app-files.js';
import { observe } from './observed.js';

/** How long a file in JavaScript may take here; a service allows 10 s. */
const EVALUATION_MS = 1_500;

/** How long all of it may take. */
const DEADLINE_MS = 5_000;

/** The longest refusal or list of warnings, in characters: it goes to a terminal and into a log. */
const LONGEST = 200_000;

export interface Folder {
  readonly path: string;
  write(file: FuzzedFile): string;
  remove(): void;
}

export function appFolder(program = ''): Folder {
  const path = mkdtempSync(join(tmpdir(), 'cabe-'));
  writeFileSync(join(path, 'app.js'), program);
  return {
    path,
    write({ name, text }) {
      writeFileSync(join(path, name), text);
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface Verdict {
  readonly accepted: boolean;
  /** What is wrong with the reader, if anything. */
  readonly finding: string | undefined;
}

/** What the reader makes of it. */
export async function judge(file: FuzzedFile, folder: Folder): Promise<Verdict> {
  const path = folder.write(file);
  const began = performance.now();
  const { accepted, finding, length } = await outcome(file, path);
  const ms = performance.now() - began;
  const wrong =
    finding ??
    (ms > DEADLINE_MS ? `it takes ${Math.round(ms)} ms` : undefined) ??
    (length > LONGEST ? `${length} characters are said about it` : undefined);
  return { accepted, finding: wrong };
}

interface Outcome extends Verdict {
  /** Of all that is said about it. */
  readonly length: number;
}

async function outcome({ only, envName }: FuzzedFile, file: string): Promise<Outcome> {
  try {
    const read = await readAppFile(file, { deadlineMs: EVALUATION_MS });
    const { warnings } = resolveService(read, { file, only, envName });
    return { accepted: true, finding: undefined, length: warnings.join('').length };
  } catch (error) {
    if (!(error instanceof ServiceError))
      return { accepted: false, finding: (error as Error)?.stack ?? String(error), length: 0 };
    const { exitCode, message, warnings } = error;
    return {
      accepted: false,
      finding: exitCode === EXIT.configuration ? undefined : `exit code ${exitCode}: ${message}`,
      length: message.length + warnings.join('').length,
    };
  }
}

export interface ReaderResult {
  readonly findings: readonly string[];
  readonly accepted: number;
}

/** @param first the number of the first file */
export async function fuzzReader(seed: number, files: number, first = 0): Promise<ReaderResult> {
  const folder = appFolder();
  const findings: string[] = [];
  let accepted = 0;
  try {
    for (let number = first; number < first + files; number++) {
      const file = fileOf(seed, number);
      const verdict = await judge(file, folder);
      if (verdict.accepted) accepted++;
      if (verdict.finding !== undefined)
        findings.push(`app file, seed ${seed}, file ${number}: ${verdict.finding}`);
    }
  } finally {
    folder.remove();
  }
  return { findings, accepted };
}

/** How long a command may take, in ms: its own 10 s for an evaluation, and a slow machine. */
const COMMAND_MS = 20_000;

const { PATH = '', HOME = '' } = process.env;

/**
 * `check` in a process of its own.
 * @param first the number of the first file
 */
export async function fuzzCheck(seed: number, files: number, first = 0): Promise<readonly string[]> {
  const folder = appFolder();
  const findings: string[] = [];
  try {
    for (let number = first; number < first + files; number++) {
      const file = fileOf(seed, number, 0.3);
      const what = await checked(file, folder.write(file));
      if (what !== undefined) findings.push(`check, seed ${seed}, file ${number}: ${what}`);
    }
  } finally {
    folder.remove();
  }
  return findings;
}

async function checked({ only, envName }: FuzzedFile, path: string): Promise<string | undefined> {
  const args = ['check', '--config', path, ...option('--only', only), ...option('--env', envName)];
  const child = spawn(process.execPath, [CLUSTER, ...args], { cwd: ROOT, env: { PATH, HOME } });
  const late = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS);
  const [out, [code]] = await Promise.all([textOf(child.stdout), once(child, 'close'), textOf(child.stderr)]);
  clearTimeout(late);
  const isUnderstood =
    (code === EXIT.ok && out.startsWith('✓ ')) ||
    (code === EXIT.configuration && out.startsWith('✗ The service could not start\n  '));
  return isUnderstood && !/^\s+at /m.test(out)
    ? undefined
    : `exit code ${String(code)}: ${out.slice(0, 500)}`;
}

/** An empty one is a wrong command line, not a wrong file. */
const option = (name: string, value: string | undefined): readonly string[] =>
  value === undefined || value === '' ? [] : [name, value];

/** Drains when it is told to end. */
export const PROGRAM = `
  const server = require('node:http').createServer((request, response) => response.end('here'))
    .listen(Number(process.env.PORT), () => process.send('ready'));
  process.on('message', message => message === 'shutdown' && server.close(() => require('node:cluster').worker.disconnect()));`;

const VALID = JSON.stringify({
  apps: [
    {
      name: 'app',
      script: './app.js',
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true,
      shutdown_with_message: true,
    },
  ],
});

/** INVALID_CONFIGURATION and NO_PROGRAM. */
const REFUSED = /Invalid configuration: |does not exist; build it/;

/** One reload in so many is one with a valid file. */
const VALID_EVERY = 10;

/**
 * Reloads of a running service: one with a file that the reader refuses changes nothing, one with a valid file replaces
 * the workers, and requests are answered all the time. Files that the reader accepts are left out: they would run.
 */
export async function fuzzReload(seed: number, reloads: number): Promise<readonly string[]> {
  const folder = appFolder(PROGRAM);
  const findings: string[] = [];
  const path = join(folder.path, 'app.json');
  writeFileSync(path, VALID);
  const service = await observe({ args: ['--config', path] });
  const clients = keepAsking(service.port);
  try {
    let workers = await service.workers();
    for (let done = 0, number = 0; done < reloads; number++) {
      const isValid = done % VALID_EVERY === VALID_EVERY - 1;
      const file = fileOf(seed, number, 0);
      if (!isValid) {
        const refused = await refusal({ ...file, name: 'app.json' }, path);
        if (refused === undefined) continue;
        writeFileSync(path, file.text);
      } else writeFileSync(path, VALID);
      done++;
      const { status, text: answer } = await request(0, '/reload', {
        socketPath: service.socket,
        method: 'POST',
      });
      const now = await service.workers();
      const at = `reload, seed ${seed}, file ${isValid ? 'valid' : number}`;
      if (status !== (isValid ? 200 : 409)) findings.push(`${at}: ${status} ${answer.slice(0, 500)}`);
      if (!isValid && !REFUSED.test(answer)) findings.push(`${at}: ${answer.slice(0, 500)}`);
      if (isValid === now.some(pid => workers.includes(pid)) || now.length !== workers.length)
        findings.push(`${at}: the workers ${workers.join()} became ${now.join()}`);
      workers = now;
    }
  } finally {
    const { asked, failed } = await clients.end();
    if (failed.length > 0 || asked === 0)
      findings.push(`${failed.length} of ${asked} requests failed: ${failed[0]}`);
    const code = await service.stop();
    if (code !== 0) findings.push(`the service ended with ${code}`);
    folder.remove();
  }
  return findings;
}

/** Why a running service refuses this file: it knows neither `--only` nor `--env`. */
async function refusal(file: FuzzedFile, path: string): Promise<string | undefined> {
  writeFileSync(path, file.text);
  const read = await readAppFile(path);
  try {
    resolveService(read, { file: path, only: undefined, envName: undefined });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** How long an answer may take. */
const ANSWER_MS = 5_000;

export interface Clients {
  end(): Promise<{ readonly asked: number; readonly failed: readonly string[] }>;
}

/** One request after the other, each on a connection of its own. */
export function keepAsking(port: number): Clients {
  const failed: string[] = [];
  let asked = 0;
  const over = new AbortController();
  const loop = async (): Promise<void> => {
    while (!over.signal.aborted) {
      asked++;
      await request(port, '/', { signal: AbortSignal.timeout(ANSWER_MS) }).catch((error: Error) =>
        failed.push(error.message),
      );
      await sleep(5);
    }
  };
  const looping = loop();
  return {
    async end() {
      over.abort();
      await looping;
      return { asked, failed };
    },
  };
}
