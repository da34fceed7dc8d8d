/**
 * `yarn bench guard`: fails if a request takes far too much CPU time. Takes seconds, needs neither wrk nor peers.
 *
 * It compares the CPU time per request of our worker with that of plain node:http doing the same work, round by round in
 * one run: a slow or busy machine slows both, and CPU time of other processes is not counted.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Bench } from './support/section.js';
import { ALONE, launch, withLabel } from './support/contenders.js';
import { observe, requireEqualWork, type RunningContender } from './support/equal.js';
import { fineCpuMs } from './support/proc.js';
import { ratio, summarise, inTurns, type Row, type Sample } from './support/rounds.js';

/**
 * The largest accepted ratio of our CPU time per request to that of plain node:http. Measured: 0.93 to 1.06 on Node 20 to
 * 26, also on an overloaded machine. Noise stays far below this limit; half the speed is far above it.
 */
export const MAX_RATIO = 1.6;

const ROUNDS = 6;
const ROUND_MS = 600;
const CONNECTIONS = 16;

/** A server that stops answering must fail the run, not block it. */
const TIMEOUT_MS = 10_000;

/**
 * @returns the ratio of our CPU time per request to that of plain node:http: that of the two best rounds, because other
 *   load only makes rounds slower, or the median of the ratios within the rounds, whichever is lower. A slow worker raises
 *   both, a busy machine rarely does.
 */
export async function measureRatio({
  node,
  cpus,
  log,
}: Pick<Bench, 'node' | 'cpus' | 'log'>): Promise<number> {
  const contenders = [ALONE.rawBatched, ALONE.ours];
  const all: RunningContender[] = [];
  try {
    for (const contender of contenders)
      all.push({ contender, running: await launch(contender, { node, cpu: cpus.server }) });
    const works = await Promise.all(all.map(async each => [each.contender, await observe(each)] as const));
    requireEqualWork(new Map(works));
    const samples: Sample[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      for (const { contender, running } of inTurns(all, round)) {
        const [pid = 0] = running.workers();
        const before = fineCpuMs(pid);
        const requests = await withLabel(contender, () => sendLoad(running.port));
        const cpuUs = ((fineCpuMs(pid) - before) * 1_000) / requests;
        running.log.empty();
        // Round -1 warms up the code.
        if (round >= 0) samples.push({ contender: contender.name, round, values: { cpuUs } });
        log(`round ${round + 1}/${ROUNDS} ${contender.label}: ${cpuUs.toFixed(1)} µs a request`);
      }
    }
    const [ours, plain] = [{ contender: ALONE.ours.name }, { contender: ALONE.rawBatched.name }];
    const best = (row: Row): number => summarise(samples, row, 'cpuUs')?.min ?? Number.NaN;
    const medianRatio = ratio(samples, ours, plain, 'cpuUs')?.median ?? Number.NaN;
    return Math.min(best(ours) / best(plain), medianRatio);
  } finally {
    for (const { running } of all) await running.stop();
  }
}

/** @returns how many requests were answered */
async function sendLoad(port: number): Promise<number> {
  const until = performance.now() + ROUND_MS;
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => sendRequests(port, until)));
  return counts.reduce((sum, count) => sum + count, 0);
}

const REQUEST = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Sends requests over one connection, each after the answer to the one before. @returns how many were answered */
async function sendRequests(port: number, until: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.setEncoding('latin1');
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer for ${TIMEOUT_MS / 1_000} s`)));
  let answered = 0;
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (!isComplete(text)) return;
    answered++;
    if (!text.startsWith('HTTP/1.1 200 ')) socket.destroy(new Error(text));
    text = '';
    if (performance.now() < until) socket.write(REQUEST);
    else socket.end();
  });
  socket.write(REQUEST);
  await once(socket, 'close');
  return answered;
}

function isComplete(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, head))?.[1];
  return length !== undefined && text.length >= head + 4 + Number(length);
}
