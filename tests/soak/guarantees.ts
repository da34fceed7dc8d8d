/** `yarn soak guarantees`: checks each guarantee many times, for the tables of `docs/reload-measurements.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, NATIVE, PM2, type Measurement } from '../support/guarantees.js';
import { cleanUp, freePort, ROOT, start, within, WORKER } from '../support/processes.js';

/** Longer than any guarantee takes; a service that hangs would otherwise hang the soak. */
const TIMEOUT_MS = 600_000;

const IDLE_TIMES = 20;

/** @returns whether all of them hold */
export async function checkGuarantees(
  { only = '', write = false }: { readonly only?: string | undefined; readonly write?: boolean | undefined },
  say: (line: string) => void,
): Promise<boolean> {
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      isInterrupted = true;
      void cleanUp();
    });
  const measurements: Measurement[] = [];
  const problems: string[] = [];
  for (const guarantee of [...NATIVE, ...PM2].filter(({ name }) => name.includes(only))) {
    if (isInterrupted) return false;
    try {
      const measured = check(guarantee, guarantee.times[1]);
      const measurement = await within(measured, () => 'it did not end in time', TIMEOUT_MS);
      measurements.push(measurement);
      for (const problem of problemsOf(measurement)) {
        problems.push(problem);
        say(`✗ ${problem}`);
      }
      say(
        `${measurement.unexcused.length === 0 ? '✓' : '✗'} ${guarantee.name}: ${measurement.sent} requests`,
      );
    } catch (error) {
      problems.push(`${guarantee.name}: ${String((error as Error).stack)}`);
      say(`✗ ${guarantee.name}`);
    } finally {
      await cleanUp();
    }
  }
  const text = `${table(measurements)}\n\n${await measureIdleExit()}`;
  say(`\n${text}\n`);
  if (write) writeInto(text);
  for (const problem of problems) say(`✗ ${problem}`);
  return problems.length === 0;
}

function problemsOf({ name, sent, answered, held, late, unexcused }: Measurement): string[] {
  const problems = unexcused.map(({ kind, what }) => `${name}: ${kind}: ${what}`);
  if (answered + held + late + unexcused.length !== sent)
    problems.push(`${name}: the results do not add up to the requests sent`);
  return problems;
}

type Column = readonly [title: string, valueOf: (measurement: Measurement) => string | number];

const COLUMNS: readonly Column[] = [
  ['event', ({ name }) => name],
  ['listener', ({ mode }) => mode],
  ['times', ({ times }) => times],
  ['requests', ({ sent }) => sent],
  ['lost', ({ unexcused }) => countByKind(unexcused.map(({ kind }) => kind))],
  ['on a failed worker', ({ held }) => held],
  ['after the stop', ({ late }) => late],
  ['longest wait', ({ longestWaitMs }) => `${longestWaitMs} ms`],
  ['slowest answer', ({ longestMs }) => `${longestMs} ms`],
  ['median gap', ({ gapsMs }) => `${Math.round(medianOf(gapsMs))} ms`],
  ['longest gap', ({ longestGapMs }) => `${longestGapMs} ms`],
];

/** Of an even number of values, the upper one of the two in the middle. */
const medianOf = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

/** A Markdown table in the format of Prettier. */
function table(measurements: readonly Measurement[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...measurements.map(measurement => COLUMNS.map(([, valueOf]) => String(valueOf(measurement)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  const isText = (column: number): boolean => column < 2;
  const pad = (cell: string, column: number): string =>
    isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const line = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`;
  const rule = line(
    widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)),
  );
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}

/** `0`, or `3 reset, 1 refused`. */
function countByKind(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || '0';
}

/** Measures the time from SIGTERM until a worker without connections has exited. */
async function measureIdleExit(): Promise<string> {
  const times: number[] = [];
  for (let time = 0; time < IDLE_TIMES; time++) {
    const worker = start([WORKER], { PORT: String(await freePort()) });
    await worker.said(/HTTP server started/);
    const begun = performance.now();
    worker.kill();
    await worker.ended;
    times.push(performance.now() - begun);
  }
  const [median, longest] = [medianOf(times), Math.max(...times)];
  return `A worker without connections exits ${median.toFixed(0)} ms after SIGTERM (median of ${IDLE_TIMES}; longest ${longest.toFixed(0)} ms).`;
}

/** Replaces the table of this version of Node in the document. */
function writeInto(text: string): void {
  const path = join(ROOT, 'docs', 'reload-measurements.md');
  const [major] = process.versions.node.split('.');
  const [begin, end] = [`<!-- measured on Node ${major} -->`, `<!-- end of Node ${major} -->`];
  const document = readFileSync(path, 'utf8');
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/reload-measurements.md has no table for Node ${major}`);
  const content = `${begin}\n\nNode ${process.versions.node}:\n\n${text}\n\n`;
  writeFileSync(path, document.slice(0, from) + content + document.slice(to));
}
