/**
 * What the plots keep of each moment, for an hour: one sample a second of the last ten minutes, one in five seconds before
 * that. Of 64 workers this is 4 MB. Pure.
 */

/** @typedef {import('../messages.js').Moment} Moment */
/** @typedef {import('../messages.js').LiveWorker} LiveWorker */

/** @typedef {'requestsPerSecond' | 'p99Ms' | 'cpu' | 'memory' | 'eventLoopUtilization'} Figure */

/**
 * `rows` has {@link WIDTH} numbers for each worker: its slot, then the {@link FIGURES}; NaN is unknown.
 * @typedef {{ readonly at: number, readonly served: number, readonly wanted: number, readonly rows: Float64Array }} Sample
 */

export const HOUR_MS = 3_600_000;

/** How long one sample a second is kept. */
export const FINE_MS = 600_000;
const FINE_STEP_MS = 1_000;
const COARSE_STEP_MS = 5_000;

/** No more samples than this are ever kept, however many arrive. */
export const MAX_SAMPLES = FINE_MS / FINE_STEP_MS + (HOUR_MS - FINE_MS) / COARSE_STEP_MS + 2;

/** @type {readonly Figure[]} */
export const FIGURES = ['requestsPerSecond', 'p99Ms', 'cpu', 'memory', 'eventLoopUtilization'];
const WIDTH = 1 + FIGURES.length;

/** @param {Moment} moment @returns {Sample} */
export function sampleOf({ at, served, wanted, workers }) {
  const rows = new Float64Array(workers.length * WIDTH);
  workers.forEach((worker, index) => {
    rows[index * WIDTH] = worker.slot;
    FIGURES.forEach((figure, column) => {
      rows[index * WIDTH + 1 + column] = worker[figure] ?? Number.NaN;
    });
  });
  return { at, served, wanted, rows };
}

/**
 * Both together in the order of time, at most one for each step of time: the same moment from two servers stays one.
 * @param {readonly Sample[]} samples in order
 * @param {readonly Sample[]} incoming
 * @returns {readonly Sample[]}
 */
export function merged(samples, incoming) {
  const all = samples.concat(incoming);
  const isInOrder = incoming.length === 1 && (samples.at(-1)?.at ?? 0) <= (incoming[0]?.at ?? 0);
  return thinned(isInOrder ? all : all.toSorted((a, b) => a.at - b.at));
}

/** Of each step the first stays, so that thinning once more changes nothing. @param {readonly Sample[]} samples */
function thinned(samples) {
  const newest = samples.at(-1)?.at ?? 0;
  /** @type {Sample[]} */
  const kept = [];
  let lastMs = 0;
  let lastStep = 0;
  for (const sample of samples) {
    const age = newest - sample.at;
    if (age > HOUR_MS) continue;
    const stepMs = age <= FINE_MS ? FINE_STEP_MS : COARSE_STEP_MS;
    const step = Math.floor(sample.at / stepMs);
    if (step !== lastStep || stepMs !== lastMs) kept.push(sample);
    lastMs = stepMs;
    lastStep = step;
  }
  return kept;
}

/** @param {readonly Sample[]} samples @param {number} from @param {number} to in ms since the epoch */
export const within = (samples, from, to) => samples.filter(({ at }) => at >= from && at <= to);

/** How the workers' figures become one. @typedef {'sum' | 'mean' | 'highest'} Summary */

/** @param {Sample} sample @param {Figure} figure @param {Summary} summary @returns {number | null} */
export function ofService({ rows }, figure, summary) {
  const column = 1 + FIGURES.indexOf(figure);
  let [sum, highest, number] = [0, Number.NEGATIVE_INFINITY, 0];
  for (let index = column; index < rows.length; index += WIDTH) {
    const value = rows[index] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    sum += value;
    highest = Math.max(highest, value);
    number += 1;
  }
  if (number === 0) return null;
  return summary === 'sum' ? sum : summary === 'mean' ? sum / number : highest;
}

/** The first row of a slot is of its newest process. @param {Sample} sample @param {Figure} figure @param {number} slot @returns {number | null} */
export function ofSlot({ rows }, figure, slot) {
  for (let index = 0; index < rows.length; index += WIDTH) {
    if (rows[index] !== slot) continue;
    const value = rows[index + 1 + FIGURES.indexOf(figure)] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  }
  return null;
}
