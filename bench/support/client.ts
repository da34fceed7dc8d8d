/** Single requests, and waiting for all workers of a service. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Names and values as received. */
  readonly rawHeaders: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
  readonly bytes: number;
}

/** One request; without an agent on a new connection. */
export function get(where: http.RequestOptions, agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', path: '/health', agent, timeout: 5_000, ...where },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const { statusCode: status = 0, headers, rawHeaders } = response;
          resolve({ status, headers, rawHeaders, body: parsed(bytes), bytes: bytes.length });
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.on('error', reject);
    request.end();
  });
}

/** How long the whole service may take to start. */
const TIMEOUT_MS = 120_000;
const LOOK_MS = 4;

/**
 * Sends requests on new connections until this many workers have answered that are not among the known ones. No request
 * waits for another: one that was passed to a worker that has just died may never be answered.
 * @returns the pid of every new worker, in the order of their first answers
 */
export async function answering(
  port: number,
  workers: number,
  known: readonly number[] = [],
): Promise<number[]> {
  const seen = new Set<number>();
  const deadline = performance.now() + TIMEOUT_MS;
  const complete = new AbortController();
  let pending = 0;
  const ask = async (): Promise<void> => {
    pending++;
    const answer = await get({ port }).catch(() => undefined);
    pending--;
    const worker = answer?.body['worker'];
    if (typeof worker === 'number' && !known.includes(worker)) seen.add(worker);
    if (seen.size >= workers) complete.abort();
  };
  while (!complete.signal.aborted) {
    if (performance.now() > deadline)
      throw new Error(`Only ${seen.size} of ${workers} workers have answered`);
    // Once a worker answers, as many requests at a time as there are workers: otherwise one idle worker would take them
    // all. The more at a time, the longer the interval, because requests must not slow down the start.
    const burst = seen.size + known.length === 0 ? 1 : workers + known.length;
    const count = Math.min(burst, 2 * burst - pending);
    for (let index = 0; index < count; index++) void ask();
    await sleep(LOOK_MS * burst, undefined, { signal: complete.signal }).catch(() => undefined);
  }
  return [...seen];
}

function parsed(bytes: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(bytes.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
