/**
 * `yarn hardening lives`: random lives of the supervisor's core, whose invariants are checked after every event. One life
 * takes about a millisecond, so a million of them is lived by several processes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { live, missing, type Tally } from '../support/random-lives.js';
import type { Batch, BatchResult } from './lives-process.js';

const USAGE = `Usage: yarn hardening lives [--lives N] [--seed S] [--write]
  --lives N   how many                                       (1000000)
  --seed S    the seed of the first; the next ones follow it (1)
  --write     writes the result into docs/reliability.md
One life (--lives 1) is shown with its transcript.
`;

/** Lives that a process lives before it reports. */
const BATCH = 1_000;

const PROGRESS_MS = 10_000;

/** So many lives, and more, contain everything that may occur. */
const ENOUGH_FOR_EVERYTHING = 10_000;

/** What all lives together were. */
export interface Lived {
  readonly lives: number;
  readonly tally: Tally;
  /** The sum of the simulated times. */
  readonly lastedMs: number;
}

interface Options {
  readonly lives: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** The program of a process, in JavaScript; see `lives-process.ts`. */
  readonly program: string;
}

/**
 * Lives lives on every CPU.
 * @throws Error at the first life that broke an invariant, with its seed and transcript; or if a process ends
 */
export async function liveMany({ lives, seed, say, program }: Options): Promise<Lived> {
  const lived = { lives: 0, tally: new Map<string, number>(), lastedMs: 0 };
  const processes = Array.from({ length: availableParallelism() }, () => fork(program, { execArgv: [] }));
  let next = seed;
  const takeBatch = (): Batch | undefined => {
    const batch = { first: next, lives: Math.min(BATCH, seed + lives - next) };
    next += batch.lives;
    return batch.lives === 0 ? undefined : batch;
  };
  const progress = setInterval(() => say(`${lived.lives} of ${lives} lives`), PROGRESS_MS);
  try {
    await Promise.all(processes.map(one => liveBatches(one, takeBatch, result => add(lived, result))));
  } finally {
    clearInterval(progress);
    for (const one of processes) one.kill();
  }
  return lived;
}

/** Gives a process one batch after the other, until none is left. */
async function liveBatches(
  child: ChildProcess,
  takeBatch: () => Batch | undefined,
  take: (result: BatchResult) => void,
): Promise<void> {
  for (let batch = takeBatch(); batch !== undefined; batch = takeBatch()) take(await answer(child, batch));
}

function answer(child: ChildProcess, batch: Batch): Promise<BatchResult> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void =>
      reject(new Error(`the process ended (${signal ?? code}) in the lives from seed ${batch.first}`));
    child.once('exit', ended);
    child.once('message', result => {
      child.off('exit', ended);
      resolve(result as BatchResult);
    });
    child.send(batch);
  });
}

function add(lived: { lives: number; tally: Tally; lastedMs: number }, result: BatchResult): void {
  if ('brokenSeed' in result) {
    const { brokenSeed, invariant, transcript } = result;
    throw new Error(
      `${transcript.join('\n')}\n✗ ${invariant}\n  Repeat it: yarn hardening lives --lives 1 --seed ${brokenSeed}`,
    );
  }
  lived.lives += result.lived;
  lived.lastedMs += result.lastedMs;
  for (const [what, times] of result.tally) lived.tally.set(what, (lived.tally.get(what) ?? 0) + times);
}

/** Bundled: tsx would make every closure slower by the name it adds. @returns the path of the program */
async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, 'lives.js');
  await build({
    entryPoints: [join(__dirname, 'lives-process.ts')],
    bundle: true,
    platform: 'node',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

function page({ lives, tally, lastedMs }: Lived, seed: number): string {
  const times = (what: string): string => (tally.get(what) ?? 0).toLocaleString('en');
  const events = [...tally].reduce((sum, [what, n]) => (what.startsWith('event ') ? sum + n : sum), 0);
  const days = Math.round(lastedMs / 86_400_000);
  return `Node ${process.version}, seeds ${seed} to ${seed + lives - 1}: no invariant was broken.

|                                          |                                     |
| ---------------------------------------- | ----------------------------------: |
| lives                                    | ${lives.toLocaleString('en')}       |
| events, the invariants checked after each | ${events.toLocaleString('en')}     |
| simulated time                           | ${days.toLocaleString('en')} days |
| workers forked                           | ${times('effect fork')}             |
| forks refused by the system              | ${times('event fork.failed')}       |
| exits of workers                         | ${times('event worker.exited')}     |
| workers killed by the supervisor         | ${times('effect kill')}             |
| reloads begun                            | ${times('event reload.read')}       |
| app files refused                        | ${times('event reload.refused')}    |
| changes of the number of workers         | ${times('event scale')}             |
| blocked event loops                      | ${times('event worker.unresponsive')} |
| replacements for memory                  | ${times('notice memory-restart.begun')} |
| jumps of the clock                       | ${times('event jump')}              |`;
}

/** @returns whether everything held */
export async function run(argv: readonly string[]): Promise<boolean> {
  const options = {
    lives: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = parseArgs({ args: [...argv], options });
  const [lives, seed] = [Number(values.lives), Number(values.seed)];
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (values.help === true) return (say(USAGE), true);
  if (!(Number.isSafeInteger(lives) && lives > 0 && Number.isSafeInteger(seed))) {
    say(`--lives and --seed must be whole numbers, got ${values.lives} and ${values.seed}\n${USAGE}`);
    return false;
  }
  if (lives === 1) return showOne(seed, say);
  const folder = mkdtempSync(join(tmpdir(), 'cabe-lives-'));
  try {
    const lived = await liveMany({ lives, seed, say, program: await bundle(folder) });
    const missed = lives < ENOUGH_FOR_EVERYTHING ? [] : missing(lived.tally);
    if (missed.length > 0) throw new Error(`✗ ${missed.join(', ')} never occurred`);
    say(page(lived, seed));
    if (values.write) await (await import('./section.js')).writeSection('lives', page(lived, seed));
    return true;
  } catch (error) {
    say((error as Error).message);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function showOne(seed: number, say: (line: string) => void): boolean {
  try {
    say(live(seed, new Map()).transcript.join('\n'));
    return true;
  } catch (error) {
    const { transcript = [], message } = error as { transcript?: readonly string[]; message: string };
    say([...transcript, `✗ ${message}`].join('\n'));
    return false;
  }
}
