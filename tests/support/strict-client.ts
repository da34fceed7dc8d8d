/**
 * A client that forgives nothing: whatever is refused, reset, late, cut short or wrong counts, and nothing is tried
 * again. Connections that are kept alive and connections for one request, GET and POST with bodies, side by side.
 */
import http, { Agent, type IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';

export type Failure =
  'refused' | 'reset' | 'timed out' | 'truncated' | 'wrong answer' | 'server error' | 'other';

export interface Report {
  readonly sent: number;
  readonly answered: number;
  readonly failures: Readonly<Partial<Record<Failure, number>>>;
  /** What the first few failures were, for whoever has to find their cause. */
  readonly examples: readonly string[];
  readonly longestMs: number;
  /** The longest time between two answers of any kind of connection. */
  readonly longestGapMs: number;
}

export interface ClientOptions {
  readonly port: number;
  readonly host?: string;
  /** Kept-alive connections, each sending its next request when it has its answer. */
  readonly keptAlive?: number;
  /** One new connection every so many milliseconds, each for one request, whatever becomes of those before. */
  readonly newEveryMs?: number;
  /** Pause of a kept-alive connection between answer and next request. */
  readonly pauseMs?: number;
  readonly timeoutMs?: number;
}

/** The load, from its start until it is told to stop. */
export interface StrictClient {
  /** No further request is sent; resolves when all have been answered or have failed. */
  stop(): Promise<Report>;
  readonly sent: number;
  /** Requests on new connections that wait for their answer at this moment. */
  readonly opened: number;
  /** The count of failures so far. */
  readonly failed: number;
  /** How long the oldest request that is still unanswered has waited. */
  readonly oldestMs: number;
}

export function strictClient(options: ClientOptions): StrictClient {
  const { port, host = '127.0.0.1', keptAlive = 8, newEveryMs = 5, pauseMs = 2, timeoutMs = 5_000 } = options;
  const pool = new Agent({ keepAlive: true, maxSockets: keptAlive });
  const failures: Partial<Record<Failure, number>> = {};
  const examples: string[] = [];
  const pending = new Set<Promise<void>>();
  const begun = performance.now();
  let [sent, answered, longestMs, longestGapMs, lastAnswer] = [0, 0, 0, 0, begun];
  let opened = 0;
  const waiting = new Set<number>();
  const stopping = new AbortController();

  async function once(agent: Agent | false): Promise<void> {
    const number = sent++;
    const at = performance.now();
    waiting.add(at);
    if (agent === false) opened++;
    try {
      await (number % 3 === 0 ? post(agent) : get(agent));
      const now = performance.now();
      answered++;
      longestMs = Math.max(longestMs, now - at);
      longestGapMs = Math.max(longestGapMs, now - lastAnswer);
      lastAnswer = now;
    } catch (error) {
      const kind = kindOf(error as NodeJS.ErrnoException);
      failures[kind] = (failures[kind] ?? 0) + 1;
      const connection = agent === false ? 'new connection' : 'kept alive';
      if (examples.length < 10)
        examples.push(`${connection}, ${Math.round(at - begun)} ms after the start: ${String(error)}`);
    } finally {
      waiting.delete(at);
      if (agent === false) opened--;
    }
  }

  async function get(agent: Agent | false): Promise<void> {
    const { status, text } = await exchange({ method: 'GET', path: '/health', agent });
    const body = parsed(text);
    if (status !== 200 || body['status'] !== 'ok' || typeof body['worker'] !== 'number')
      throw wrong(status, text);
  }

  /** An unknown route reads the whole body and echoes the id of the request. */
  async function post(agent: Agent | false): Promise<void> {
    const id = randomBytes(8).toString('hex');
    const body = JSON.stringify({ text: 'x'.repeat(1 + (sent % 16) * 1_024) });
    const headers = { 'Content-Type': 'application/json', 'X-Request-Id': id };
    const { status, text } = await exchange({ method: 'POST', path: '/echo', agent, headers }, body);
    if (status !== 404 || parsed(text)['requestId'] !== id) throw wrong(status, text);
  }

  function exchange(request: http.RequestOptions, body?: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const message = http.request({ host, port, ...request }, response =>
        collect(response).then(resolve, reject),
      );
      const timer = setTimeout(
        () => message.destroy(failure('timed out', `no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      message.on('close', () => clearTimeout(timer)).on('error', reject);
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
  const opener = newEveryMs > 0 ? setInterval(() => track(once(false)), newEveryMs) : undefined;

  return {
    get sent() {
      return sent;
    },
    get opened() {
      return opened;
    },
    get failed() {
      return Object.values(failures).reduce((sum, count) => sum + count, 0);
    },
    get oldestMs() {
      const [oldest] = waiting; // in the order of sending
      return oldest === undefined ? 0 : performance.now() - oldest;
    },
    async stop() {
      stopping.abort();
      clearInterval(opener);
      while (pending.size > 0) await Promise.all(pending);
      pool.destroy();
      return {
        sent,
        answered,
        failures,
        examples,
        longestMs: Math.round(longestMs),
        longestGapMs: Math.round(longestGapMs),
      };
    },
  };
}

async function collect(response: IncomingMessage): Promise<{ status: number; text: string }> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  if (!response.complete) throw failure('truncated', `the answer ended after ${text.length} characters`);
  return { status: response.statusCode ?? 0, text };
}

const failure = (kind: Failure, message: string): Error => Object.assign(new Error(message), { kind });

const wrong = (status: number, text: string): Error =>
  failure(status >= 500 ? 'server error' : 'wrong answer', `${status} ${text.slice(0, 100)}`);

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw failure('wrong answer', `not JSON: ${text.slice(0, 100)}`);
  }
}

function kindOf(error: NodeJS.ErrnoException & { kind?: Failure }): Failure {
  if (error.kind !== undefined) return error.kind;
  if (error.code === 'ECONNREFUSED') return 'refused';
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'other';
}
