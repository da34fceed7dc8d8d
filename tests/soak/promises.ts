/** Every promise to clients kept many times, and what they saw of it: the tables of `docs/reload-measurements.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, freePort, ROOT, start, WORKER } from '../support/processes.js';
import { keep, NATIVE, PM2, type Kept } from '../support/promises.js';

/** No promise takes longer; a service that hangs would otherwise hang the soak. */
const LONGEST_MS = 600_000;

const IDLE_TIMES = 20;

export async function keepPromises(
  { only = '', write = false }: { readonly only?: string | undefined; readonly write?: boolean | undefined },
  say: (line: string) => void,
): Promise<boolean> {
  let isOver = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      isOver = true;
      void cleanUp();
    });
  const all: Kept[] = [];
  const problems: string[] = [];
  for (const promise of [...NATIVE, ...PM2].filter(({ name }) => name.includes(only))) {
    if (isOver) return false;
    try {
      const kept = await within(keep(promise, promise.times[1]));
      all.push(kept);
      for (const problem of problemsOf(kept)) {
        problems.push(problem);
        say(`✗ ${problem}`);
      }
      say(`${kept.unexcused.length === 0 ? '✓' : '✗'} ${kept.name}: ${kept.sent} requests`);
    } catch (error) {
      problems.push(`${promise.name}: ${String((error as Error).stack)}`);
      say(`✗ ${promise.name}`);
    } finally {
      await cleanUp();
    }
  }
  const text = `${table(all)}\n\n${await idle()}`;
  say(`\n${text}\n`);
  if (write) put(text);
  for (const problem of problems) say(`✗ ${problem}`);
  return problems.length === 0;
}

function problemsOf({ name, sent, answered, held, late, unexcused }: Kept): string[] {
  const problems = unexcused.map(({ kind, what }) => `${name}: ${kind}: ${what}`);
  if (answered + held + late + unexcused.length !== sent) problems.push(`${name}: requests are missing`);
  return problems;
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('it did not end in time')), LONGEST_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const COLUMNS: readonly (readonly [title: string, of: (kept: Kept) => string | number])[] = [
  ['what happens', ({ name }) => name],
  ['listener', ({ mode }) => mode],
  ['times', ({ times }) => times],
  ['requests', ({ sent }) => sent],
  ['lost', ({ unexcused }) => counted(unexcused.map(({ kind }) => kind))],
  ['with a fallen worker', ({ held }) => held],
  ['too late', ({ late }) => late],
  ['longest wait', ({ longestWaitMs }) => `${longestWaitMs} ms`],
  ['longest answer', ({ longestMs }) => `${longestMs} ms`],
  ['median silence', ({ gapsMs }) => `${Math.round(medianOf(gapsMs))} ms`],
  ['longest silence', ({ longestGapMs }) => `${longestGapMs} ms`],
];

/** The upper one of the two in the middle. */
const medianOf = (all: readonly number[]): number =>
  all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0;

/** As Prettier would write it. */
function table(all: readonly Kept[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...all.map(kept => COLUMNS.map(([, of]) => String(of(kept)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}

/** `0`, or `3 reset, 1 refused`. */
function counted(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || '0';
}

/** From SIGTERM until a worker without connections is gone. */
async function idle(): Promise<string> {
  const times: number[] = [];
  for (let time = 0; time < IDLE_TIMES; time++) {
    const worker = start([WORKER], { PORT: String(await freePort()) });
    await worker.said(/HTTP server started/);
    const begun = performance.now();
    worker.kill();
    await worker.ended;
    times.push(performance.now() - begun);
  }
  const [median, most] = [medianOf(times), Math.max(...times)];
  return `A worker without connections left ${IDLE_TIMES} times, in ${median.toFixed(0)} ms (median), ${most.toFixed(0)} ms (longest).`;
}

/** Into its place in the document, one for each Node. */
function put(text: string): void {
  const path = join(ROOT, 'docs', 'reload-measurements.md');
  const [major] = process.versions.node.split('.');
  const [begin, end] = [`<!-- measured on Node ${major} -->`, `<!-- end of Node ${major} -->`];
  const document = readFileSync(path, 'utf8');
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/reload-measurements.md has no place for Node ${major}`);
  const place = `${begin}\n\nNode ${process.versions.node}:\n\n${text}\n\n`;
  writeFileSync(path, document.slice(0, from) + place + document.slice(to));
}
