/** Checks that all contenders do the same work: it compares answer, headers and log line. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, type Answer } from './client.js';
import type { Contender, Running } from './contenders.js';
import { until } from './processes.js';

/** Enough requests to see that ids differ and that each request has a log line. */
const PROBES = 4;

/** How long log lines may be late. */
const LOG_LAG_MS = 5_000;

/** Time in which duplicate lines would appear. */
const MORE_LINES_MS = 300;

/** Headers that may differ between answers. */
const CHANGING = new Set(['date', 'x-request-id', 'content-length']);

/** The answers and log lines of a few requests. */
export interface Work {
  readonly answers: readonly Answer[];
  readonly lines: readonly string[];
}

export interface RunningContender {
  readonly contender: Contender;
  readonly running: Running;
}

/** @throws Error with every difference between the last contender that does all the work and the others */
export function requireEqualWork(works: ReadonlyMap<Contender, Work>): void {
  const [model, wanted] = [...works].findLast(([{ floor }]) => floor !== true) ?? [];
  if (model === undefined || wanted === undefined) return;
  const differences = [...works].flatMap(([{ label, floor = false }, work]) =>
    differencesOf(work, wanted, floor).map(text => `${label}: ${text}`),
  );
  if (differences.length > 0) {
    throw new Error(`Not the same work as "${model.label}":\n  ${differences.join('\n  ')}`);
  }
}

export async function observe({ contender, running: { port, log } }: RunningContender): Promise<Work> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  await sleep(MORE_LINES_MS);
  log.empty();
  const answers: Answer[] = [];
  for (let probe = 0; probe < PROBES; probe++) answers.push(await get({ port }, agent));
  agent.destroy();
  const deadline = performance.now() + (contender.floor === true ? 0 : LOG_LAG_MS);
  await until(() => log.lines().length >= PROBES || performance.now() > deadline, 'the log is written');
  await sleep(MORE_LINES_MS);
  return { answers, lines: log.lines() };
}

function differencesOf(work: Work, model: Work, isFloor: boolean): string[] {
  const [answer] = work.answers;
  const [wanted] = model.answers;
  if (answer === undefined || wanted === undefined) return ['no answer'];
  const found = [
    ...differs('status', answer.status, wanted.status),
    ...differs('body', shape(answer.body), shape(wanted.body)),
    ...differs('content-type', answer.headers['content-type'], wanted.headers['content-type']),
  ];
  if (isFloor) return found;
  const names = new Set([...Object.keys(answer.headers), ...Object.keys(wanted.headers)]);
  const ids = new Set(work.answers.map(({ headers }) => headers['x-request-id']));
  return [
    ...found,
    ...[...names].flatMap(name => {
      const [given, expected] = [answer.headers[name], wanted.headers[name]];
      if (CHANGING.has(name) && given !== undefined && expected !== undefined) return [];
      return differs(name, unspaced(given), unspaced(expected));
    }),
    ...differs('content-length', Number(answer.headers['content-length']), answer.bytes),
    ...differs('different ids', ids.size, PROBES),
    ...differs('log lines', work.lines.length, PROBES),
    ...[...ids].flatMap(id => {
      const line = work.lines.find(text => text.includes(`"${String(id)}"`)) ?? '';
      const missing = ['"GET"', '"/health"', '200'].filter(part => !line.includes(part));
      return missing.length === 0
        ? []
        : [`a log line lacks ${missing.join(', ')}: ${line || 'no line with the id'}`];
    }),
  ];
}

function differs(what: string, given: unknown, expected: unknown): string[] {
  if (given === expected) return [];
  return [
    `${what} is ${JSON.stringify(given) ?? 'missing'} instead of ${JSON.stringify(expected) ?? 'missing'}`,
  ];
}

/** helmet writes no spaces between the directives of a policy. */
const unspaced = (value: string | readonly string[] | undefined): string | undefined =>
  value === undefined ? undefined : String(value).replaceAll('; ', ';');

/** Names and types of the fields of a body; times and pids differ. */
function shape(body: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(body).map(([name, value]) => [name, typeof value]));
}

/**
 * Exactly one line for every request. Requests in flight at the end of the load are answered and logged, but not counted
 * by the client; on a slow machine this also applies to those of the round before.
 */
export function requireOneLinePerRequest(lines: number, requests: number, connections: number): void {
  if (lines >= requests && lines <= requests + 2 * connections) return;
  throw new Error(`${lines} lines were logged for ${requests} requests over ${connections} connections`);
}
