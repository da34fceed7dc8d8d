/**
 * `yarn bench guard`: turns red when a request has become far dearer than it was. Some seconds, no wrk, no peers.
 *
 * It compares the CPU time per request of our worker with that of plain node:http doing the same work, round by round
 * in one run: a slow or busy machine slows both, and time that others take is not counted at all.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Bench } from './support/section.js';
import { ALONE, launch, named } from './support/contenders.js';
import { observe, refuseUnequalWork, type Entrant } from './support/equal.js';
import { fineCpuMs } from './support/proc.js';
import { ratio, summarise, turns, type Row, type Sample } from './support/rounds.js';

/**
 * How many times the CPU time of plain node:http a request of ours may take. Measured are 0.93 to 1.06, on Node 20 to 26
 * and on a machine with ten times the work it can do: noise stays far below this bound, and half the speed far above.
 */
export const DEAREST = 1.6;

const ROUNDS = 6;
const ROUND_MS = 600;
const CONNECTIONS = 16;

/** A server that no longer answers must end a pipeline, not hold it up. */
const PATIENCE_MS = 10_000;

/**
 * @returns how many times dearer a request of ours is, at least: the cheapest round against the cheapest, because
 *   whatever disturbs a round makes it dearer, or the median of the ratios within the rounds, if that is less. A worker
 *   that has become slow shows in both, a machine that is disturbed seldom.
 */
export async function compare({ node, cpus, tell }: Pick<Bench, 'node' | 'cpus' | 'tell'>): Promise<number> {
  const contenders = [ALONE.rawGathered, ALONE.ours];
  const entrants: Entrant[] = [];
  try {
    for (const contender of contenders)
      entrants.push({ contender, running: await launch(contender, { node, cpu: cpus.server }) });
    const works = await Promise.all(
      entrants.map(async entrant => [entrant.contender, await observe(entrant)] as const),
    );
    refuseUnequalWork(new Map(works));
    const samples: Sample[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      for (const { contender, running } of turns(entrants, round)) {
        const [pid = 0] = running.workers();
        const before = fineCpuMs(pid);
        const requests = await named(contender, () => drive(running.port));
        const cpuUs = ((fineCpuMs(pid) - before) * 1_000) / requests;
        running.log.empty();
        // The round before the first lets the code be compiled.
        if (round >= 0) samples.push({ contender: contender.name, round, values: { cpuUs } });
        tell(`round ${round + 1}/${ROUNDS} ${contender.label}: ${cpuUs.toFixed(1)} µs a request`);
      }
    }
    const [ours, plain] = [{ contender: ALONE.ours.name }, { contender: ALONE.rawGathered.name }];
    const cheapest = (row: Row): number => summarise(samples, row, 'cpuUs')?.min ?? Number.NaN;
    const inPairs = ratio(samples, ours, plain, 'cpuUs')?.median ?? Number.NaN;
    return Math.min(cheapest(ours) / cheapest(plain), inPairs);
  } finally {
    for (const { running } of entrants) await running.stop();
  }
}

/** @returns how many requests were answered */
async function drive(port: number): Promise<number> {
  const until = performance.now() + ROUND_MS;
  const counts = await Promise.all(Array.from({ length: CONNECTIONS }, () => converse(port, until)));
  return counts.reduce((sum, count) => sum + count, 0);
}

const REQUEST = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** One connection: the next request when the answer to the last is complete. */
async function converse(port: number, until: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.setEncoding('latin1');
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer for ${PATIENCE_MS / 1_000} s`)));
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
