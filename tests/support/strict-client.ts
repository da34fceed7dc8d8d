/**
 * A strict client: every request that is refused, reset, late, cut short or wrong counts, and nothing is tried
 * again. Connections that are kept alive and connections for one request, GET and POST with bodies, side by side.
 */
import http, { Agent, type IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import {
  failure,
  follow,
  giveUpAfter,
  kindOf,
  newTrace,
  type Failure,
  type Lost,
  type Opened,
  type Trace,
} from './failures.js';
import { longRequests } from './long-requests.js';
import { clientStarted, clientStopped } from './processes.js';

export interface Report {
  readonly sent: number;
  readonly answered: number;
  readonly failures: Readonly<Partial<Record<Failure, number>>>;
  /** Every failure, with what is known of its connection. */
  readonly lost: readonly Lost[];
  /** The connections for one request each. */
  readonly connections: readonly Opened[];
  /** The first few failures, to find their cause. */
  readonly examples: readonly string[];
  /** The longest time that a request waited for its answer; long requests are not counted. */
  readonly longestMs: number;
  /** The longest time between two answers of any kind of connection. */
  readonly longestGapMs: number;
}

export interface ClientOptions {
  readonly port: number;
  readonly host?: string;
  /** Kept-alive connections, each sending its next request when it has its answer. */
  readonly keptAlive?: number;
  /** One new connection every so many milliseconds, each for one request, independent of those before. */
  readonly newEveryMs?: number;
  /** Pause of a kept-alive connection between answer and next request. */
  readonly pauseMs?: number;
  /** How many requests that take a second are under way at any time; the service needs the routes for them. */
  readonly long?: number;
  readonly timeoutMs?: number;
}

/** The load, from its start until it is stopped. */
export interface StrictClient {
  /** No further request is sent; resolves when all have been answered or have failed. */
  stop(): Promise<Report>;
  readonly sent: number;
  /** Requests on new connections that wait for their answer at this moment. */
  readonly opened: number;
  /** What has failed so far. */
  readonly lost: readonly Lost[];
  /** How long the oldest request that is still unanswered has waited; long ones are not counted. */
  readonly oldestMs: number;
  /** The longest time between two answers since this was asked last, or since the start. */
  takeLongestGapMs(): number;
}

export function strictClient(options: ClientOptions): StrictClient {
  const { port, host = '127.0.0.1', keptAlive = 8, newEveryMs = 5, pauseMs = 2 } = options;
  const { long = 0, timeoutMs = 5_000 } = options;
  const pool = new Agent({ keepAlive: true, maxSockets: keptAlive });
  const failures: Partial<Record<Failure, number>> = {};
  const lost: Lost[] = [];
  const connections: Opened[] = [];
  const pending = new Set<Promise<void>>();
  const begun = performance.now();
  let [sent, answered, longestMs, longestGapMs, lastAnswer] = [0, 0, 0, 0, begun];
  let recentGapMs = 0;
  let opened = 0;
  const waiting = new Set<number>();
  const stopping = new AbortController();

  async function once(agent: Agent | false): Promise<void> {
    const number = sent++;
    const at = performance.now();
    const trace = newTrace();
    waiting.add(at);
    if (agent === false) opened++;
    try {
      await (number % 3 === 0 ? post(agent, trace) : get(agent, trace));
      const now = performance.now();
      answered++;
      longestMs = Math.max(longestMs, now - at);
      recentGapMs = Math.max(recentGapMs, now - lastAnswer);
      longestGapMs = Math.max(longestGapMs, recentGapMs);
      lastAnswer = now;
    } catch (error) {
      lose(error, agent === false ? 'new connection' : 'kept alive', at, trace);
    } finally {
      waiting.delete(at);
      if (agent === false) opened--;
      if (agent === false && trace.port !== undefined)
        connections.push({ port: trace.port, at: trace.openedAt });
    }
  }

  function lose(error: unknown, connection: string, at: number, trace: Trace): void {
    const kind = kindOf(error as NodeJS.ErrnoException);
    failures[kind] = (failures[kind] ?? 0) + 1;
    const what = `${connection}, ${Math.round(at - begun)} ms after the start: ${String(error)}`;
    lost.push({ kind, what, ...trace, failedAt: Date.now() });
  }

  async function longLoop(first: number): Promise<void> {
    const kinds = longRequests(host, port, timeoutMs);
    for (let number = first; !stopping.signal.aborted; number++) {
      const at = performance.now();
      const trace = newTrace();
      sent++;
      try {
        await kinds[number % kinds.length]?.(trace);
        answered++;
      } catch (error) {
        lose(error, ['download', 'upload', 'pipelined'][number % kinds.length] ?? '', at, trace);
        await new Promise(resolve => setTimeout(resolve, pauseMs));
      }
    }
  }

  async function get(agent: Agent | false, trace: Trace): Promise<void> {
    const { status, text } = await exchange(trace, { method: 'GET', path: '/health', agent });
    const body = parsed(text);
    if (status !== 200 || body['status'] !== 'ok' || typeof body['worker'] !== 'number')
      throw wrong(status, text);
  }

  /** An unknown route reads the whole body and echoes the id of the request. */
  async function post(agent: Agent | false, trace: Trace): Promise<void> {
    const id = randomBytes(8).toString('hex');
    const body = JSON.stringify({ text: 'x'.repeat(1 + (sent % 16) * 1_024) });
    const headers = { 'Content-Type': 'application/json', 'X-Request-Id': id };
    const { status, text } = await exchange(trace, { method: 'POST', path: '/echo', agent, headers }, body);
    if (status !== 404 || parsed(text)['requestId'] !== id) throw wrong(status, text);
  }

  function exchange(
    trace: Trace,
    request: http.RequestOptions,
    body?: string,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const message = http.request({ host, port, ...request }, response =>
        collect(response).then(resolve, reject),
      );
      giveUpAfter(timeoutMs, message);
      message.on('socket', socket => follow(trace, socket)).on('error', reject);
      message.end(body);
    });
  }

  function track(work: Promise<void>): void {
    pending.add(work);
    void work.finally(() => pending.delete(work));
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await once(pool);
      await new Promise(resolve => setTimeout(resolve, pauseMs));
    }
  }

  for (let connection = 0; connection < keptAlive; connection++) track(loop());
  for (let number = 0; number < long; number++) track(longLoop(number));
  const opener = newEveryMs > 0 ? setInterval(() => track(once(false)), newEveryMs) : undefined;

  const client: StrictClient = {
    get sent() {
      return sent;
    },
    get opened() {
      return opened;
    },
    lost,
    get oldestMs() {
      const [oldest] = waiting; // in the order of sending
      return oldest === undefined ? 0 : performance.now() - oldest;
    },
    takeLongestGapMs() {
      const taken = recentGapMs;
      recentGapMs = 0;
      return taken;
    },
    async stop() {
      stopping.abort();
      clearInterval(opener);
      while (pending.size > 0) await Promise.all(pending);
      pool.destroy();
      clientStopped(client);
      return {
        sent,
        answered,
        failures,
        lost,
        connections,
        examples: lost.slice(0, 10).map(({ what }) => what),
        longestMs: Math.round(longestMs),
        longestGapMs: Math.round(longestGapMs),
      };
    },
  };
  clientStarted(client);
  return client;
}

async function collect(response: IncomingMessage): Promise<{ status: number; text: string }> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  if (!response.complete) throw failure('truncated', `the answer ended after ${text.length} characters`);
  return { status: response.statusCode ?? 0, text };
}

const wrong = (status: number, text: string): Error =>
  failure(status >= 500 ? 'server error' : 'wrong answer', `${status} ${text.slice(0, 100)}`);

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw failure('wrong answer', `not JSON: ${text.slice(0, 100)}`);
  }
}
