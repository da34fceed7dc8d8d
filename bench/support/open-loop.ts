/**
 * Load that does not wait for answers, as that of many clients: requests come at random moments (Poisson), at the same
 * rate however slow the server is. Latencies count from the moment at which a request was due.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A client gives up then. */
const PATIENCE_MS = 10_000;

export interface OpenLoad {
  readonly port: number;
  readonly path: string;
  /** Requests per second. */
  readonly rate: number;
  readonly seconds: number;
  /** Otherwise each request opens a connection. */
  readonly keepAlive: boolean;
}

export interface Outcome {
  /** 0 if there was none. */
  readonly status: number;
  readonly ms: number;
}

/** Resolves when the last request is answered or given up. */
export async function openLoop({ port, path, rate, seconds, keepAlive }: OpenLoad): Promise<Outcome[]> {
  const agent = new http.Agent({ keepAlive });
  const outcomes: Promise<Outcome>[] = [];
  const from = performance.now();
  const until = from + seconds * 1_000;
  for (let due = from; due < until; due += (-Math.log(1 - Math.random()) * 1_000) / rate) {
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    outcomes.push(send({ port, path, agent }, due));
  }
  const all = await Promise.all(outcomes);
  agent.destroy();
  return all;
}

function send(options: http.RequestOptions, due: number): Promise<Outcome> {
  return new Promise(resolve => {
    const end = (status: number): void => {
      clearTimeout(timer);
      resolve({ status, ms: performance.now() - due });
    };
    const request = http.get({ host: '127.0.0.1', ...options }, response => {
      response.resume().on('close', () => end(response.complete ? (response.statusCode ?? 0) : 0));
    });
    const timer = setTimeout(() => request.destroy(), PATIENCE_MS);
    request.on('error', () => end(0));
  });
}

export interface Capacity {
  readonly answered: number;
  readonly perSecond: number;
}

/** What is answered to so many clients, each of which waits for its answer. */
export async function capacityOf(port: number, path: string, clients: number, ms: number): Promise<Capacity> {
  const agent = new http.Agent({ keepAlive: true });
  const from = performance.now();
  let answered = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - from < ms) {
      await send({ port, path, agent }, from);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
  const perSecond = (answered * 1_000) / (performance.now() - from);
  agent.destroy();
  return { answered, perSecond };
}
