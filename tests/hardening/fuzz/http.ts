/**
 * Random requests to two services at once, one with EXPRESS_TUNING and one without: both must give the same answers, keep
 * their workers, and answer the next honest request.
 */
import { readUsage } from '../../../src/platform/process-usage.js';
import { converse, type Outcome } from './client.js';
import { observe, type Observed } from './observed.js';
import { requestOf, type FuzzedRequest, type Target } from './requests.js';
import { request } from '../../support/processes.js';

/** Connections at a time to each service. */
const AT_ONCE = 64;

/** Requests between two looks at the services. */
const BATCH = 1_000;

/** How long nothing comes until a server is taken to wait: at first, and for the requests that are looked at again alone. */
const QUIET_MS = 200;
const QUIET_ALONE_MS = 2_000;

/** A longer request is still being sent when its head is refused, in bytes. */
const AT_A_TIME = 64 * 1024;

/** What the memory of a worker may grow by after the first half of the requests, in bytes. */
const GROWTH = 48 * 2 ** 20;

const TARGET: Target = {
  paths: ['/health', '/livez', '/readyz', '/api/status', '/api', '/', '/nowhere', '/openapi.json'],
  bodies: ['{"title":"a"}', '[1,2,3]', '{"a":{"b":[null,true,"é"]}}'],
};

export interface HttpFinding {
  /** Nothing where it is about the service, not about one request. */
  readonly number?: number;
  readonly what: string;
}

export interface HttpResult {
  readonly requests: number;
  /** How often each end and each status occurred. */
  readonly tally: ReadonlyMap<string, number>;
  /** Connections that were looked at again alone, as the machine was too busy to tell waiting from slow. */
  readonly again: number;
  readonly lines: number;
  /** Resident memory of the workers in bytes: the most in the first half of the requests, and ever. */
  readonly rss: { readonly firstHalf: number; readonly most: number };
  readonly findings: readonly HttpFinding[];
}

export interface HttpOptions {
  readonly seed: number;
  readonly requests: number;
  /** The number of the first. */
  readonly first?: number;
  readonly say: (line: string) => void;
}

type Pair = readonly [tuned: Observed, plain: Observed];

const places = [0, 1] as const;

export async function fuzzHttp({ seed, requests, first = 0, say }: HttpOptions): Promise<HttpResult> {
  const both: Pair = [
    await observe({ env: { EXPRESS_TUNING: 'on' } }),
    await observe({ env: { EXPRESS_TUNING: 'off' } }),
  ];
  const findings: HttpFinding[] = [];
  const tally = new Map<string, number>();
  const rss = { firstHalf: 0, most: 0 };
  let again = 0;
  try {
    const before = await Promise.all(both.map(one => one.workers()));
    for (let at = 0; at < requests; at += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, requests - at) }, (_, n) => first + at + n);
      const doubtful = await inParallel(numbers, number => tryOne(both, seed, number, QUIET_MS, tally));
      for (const number of doubtful) {
        again++;
        const what = await tryOne(both, seed, number, QUIET_ALONE_MS, new Map());
        if (what !== undefined) findings.push({ number, what });
      }
      for (const one of both) await findingsOf(one, before[both.indexOf(one)] ?? [], findings, at);
      // A worker that has gone is reported elsewhere.
      const most = Math.max(...before.flat().map(pid => readUsage(pid)?.rss ?? 0));
      rss.most = Math.max(rss.most, most);
      if (at < requests / 2) rss.firstHalf = Math.max(rss.firstHalf, most);
      if ((at / BATCH) % 10 === 0)
        say(`${at + numbers.length} of ${requests} requests, ${findings.length} findings`);
      if (findings.length > 20) break;
    }
    if (rss.most > rss.firstHalf + GROWTH)
      findings.push({ what: `a worker grew from ${rss.firstHalf} to ${rss.most} bytes` });
    const restarts = (await Promise.all(both.map(one => one.status()))).flatMap(({ workers }) =>
      workers.map(worker => worker.restarts),
    );
    if (restarts.some(count => count !== 0))
      findings.push({ what: `workers were restarted: ${restarts.join(', ')}` });
  } finally {
    const codes = await Promise.all(both.map(one => one.stop()));
    if (codes.some(code => code !== 0))
      findings.push({ what: `the services ended with ${codes.join(' and ')}` });
  }
  for (const one of both) for (const line of one.complaints) findings.push({ what: `the log has ${line}` });
  return { requests, tally, again, lines: both[0].lines() + both[1].lines(), rss, findings };
}

/** @returns the numbers of those that came out as something else than `undefined` */
async function inParallel(
  numbers: readonly number[],
  act: (number: number) => Promise<unknown>,
): Promise<readonly number[]> {
  const waiting = numbers.toReversed();
  const found: number[] = [];
  const lane = async (): Promise<void> => {
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop())
      if ((await act(number)) !== undefined) found.push(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return found.toSorted((a, b) => a - b);
}

/** @returns in what the two services differ, or what neither may do */
async function tryOne(
  both: Pair,
  seed: number,
  number: number,
  quietMs: number,
  tally: Map<string, number>,
): Promise<string | undefined> {
  const fuzzed = requestOf(seed, number, TARGET);
  const [tuned, plain] = await Promise.all(
    places.map(at => converse({ port: both[at].port, host: '127.0.0.1' }, fuzzed, quietMs)),
  );
  if (tuned === undefined || plain === undefined) return undefined;
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  count(tuned.end);
  for (const answer of tuned.answers)
    count(/^HTTP\/1\.1 (?!1)\d{3}/m.exec(answer)?.[0].slice(9) ?? 'no status');
  return difference(fuzzed, tuned, plain);
}

function difference({ delivery, bytes }: FuzzedRequest, tuned: Outcome, plain: Outcome): string | undefined {
  for (const { end, rest, answers } of [tuned, plain]) {
    if (end === 'stuck') return 'the connection stays open although the client has stopped sending';
    if (rest !== '' && delivery === 'whole' && !rest.startsWith('HTTP/1.1 '))
      return `this is no answer: ${JSON.stringify(rest.slice(0, 200))}`;
    if (answers.some(answer => / 5\d\d /.test(answer.split('\n')[0] ?? '')))
      return `a client made the server fail: ${answers.join('\n')}`;
  }
  // What a client hears that leaves or stops in the middle depends on who is faster.
  if (delivery === 'left' || delivery === 'half-closed') return undefined;
  // So does what is heard of a refusal by a client that is still sending: the system resets the connection.
  const isRefused = [tuned, plain].some(({ end, answers }) => end === 'closed' && answers.length === 0);
  if ((delivery === 'pieces' || bytes.length > AT_A_TIME) && isRefused) return undefined;
  const [one, other] = [tuned, plain].map(({ end, answers }) => [end, ...answers].join('\n'));
  return one === other ? undefined : `EXPRESS_TUNING=on\n${one}\nEXPRESS_TUNING=off\n${other}`;
}

/** The same workers, and right answers to honest requests. */
async function findingsOf(
  { port, workers }: Observed,
  before: readonly number[],
  findings: HttpFinding[],
  at: number,
): Promise<void> {
  const where = `after the requests from ${at}`;
  const now = await workers();
  if (now.join() !== before.join())
    findings.push({ what: `the workers ${before.join()} became ${now.join()} ${where}` });
  const health = await request(port, '/health');
  if (health.status !== 200 || !before.includes((health.json() as { worker: number }).worker))
    findings.push({ what: `/health answers ${health.status} ${health.text} ${where}` });
  const posted = await request(port, '/nowhere', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'honest' },
    body: '{"a":1}',
  });
  if (posted.status !== 404 || !posted.text.includes('"requestId":"honest"'))
    findings.push({ what: `POST /nowhere answers ${posted.status} ${posted.text} ${where}` });
}

/** One request alone, for a look at it. */
export function shown(seed: number, number: number): string {
  const { bytes, delivery, answers } = requestOf(seed, number, TARGET);
  return `request ${number} (${delivery}, ${bytes.length} bytes, ${answers} expected)\n${JSON.stringify(bytes.toString('latin1').slice(0, 4_000))}`;
}
