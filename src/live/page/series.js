/** The plots: which series each has, as columns of numbers and as a sentence. Pure. */
import { bytes, count, known, latency, percent, rate, share } from './format.js';
import { FINE_MS, ofService, ofSlot } from './samples.js';

/** @typedef {import('./samples.js').Sample} Sample */
/** @typedef {import('./samples.js').Figure} Figure */
/** @typedef {import('./samples.js').Summary} Summary */

/**
 * One plot: the first line is the service, the second its worst worker (or what is wanted).
 * @typedef {object} Plot
 * @property {string} id
 * @property {string} title
 * @property {Figure | null} figure `null` counts workers
 * @property {readonly [Line, ...Line[]]} lines
 * @property {(value: number) => string} text
 * @property {number | null} least the top of the scale is at least this
 * @property {boolean} isBinary units are powers of 1024
 */

/** @typedef {{ readonly label: string, readonly value: (sample: Sample) => number | null }} Line */

/** @param {Figure} figure @param {Summary} summary @param {string} label @returns {Line} */
const line = (figure, summary, label) => ({ label, value: sample => ofService(sample, figure, summary) });

/** @type {readonly Plot[]} */
export const PLOTS = [
  {
    id: 'requests',
    title: 'Requests per second',
    figure: 'requestsPerSecond',
    lines: [line('requestsPerSecond', 'sum', 'all workers')],
    text: rate,
    least: 5,
    isBinary: false,
  },
  {
    id: 'p99',
    title: 'Latency, p99',
    figure: 'p99Ms',
    lines: [line('p99Ms', 'highest', 'slowest worker')],
    text: latency,
    least: 5,
    isBinary: false,
  },
  {
    id: 'loop',
    title: 'Event loop in use',
    figure: 'eventLoopUtilization',
    lines: [
      line('eventLoopUtilization', 'mean', 'mean'),
      line('eventLoopUtilization', 'highest', 'busiest worker'),
    ],
    text: share,
    least: 1,
    isBinary: false,
  },
  {
    id: 'cpu',
    title: 'CPU of a core',
    figure: 'cpu',
    lines: [line('cpu', 'mean', 'mean'), line('cpu', 'highest', 'busiest worker')],
    text: percent,
    least: 100,
    isBinary: false,
  },
  {
    id: 'memory',
    title: 'Memory of a worker',
    figure: 'memory',
    lines: [line('memory', 'mean', 'mean'), line('memory', 'highest', 'largest worker')],
    text: bytes,
    least: 128 * 1024 * 1024,
    isBinary: true,
  },
  {
    id: 'serving',
    title: 'Workers that serve',
    figure: null,
    lines: [
      { label: 'serve', value: ({ served }) => served },
      { label: 'wanted', value: ({ wanted }) => wanted },
    ],
    text: count,
    least: 1,
    isBinary: false,
  },
];

/** Times between samples that are a gap rather than a thinned history, in ms. */
const FINE_GAP_MS = 5_000;
const COARSE_GAP_MS = 70_000;

/** Times in seconds, then the lines of the plot, then the chosen slot. @typedef {[number[], ...(number | null)[][]]} Columns */

/**
 * A time without samples is a gap in each line.
 * @param {readonly Sample[]} samples in order
 * @param {Plot} plot
 * @param {number | null} slot whose line is added; `null` adds an empty one
 * @returns {Columns}
 */
export function columnsOf(samples, { lines, figure }, slot) {
  /** @type {number[]} */
  const times = [];
  /** @type {(number | null)[][]} */
  const columns = [...lines.map(() => []), []];
  const newest = samples.at(-1)?.at ?? 0;
  let before = samples[0]?.at ?? 0;
  for (const sample of samples) {
    const isGap = sample.at - before > (newest - before <= FINE_MS ? FINE_GAP_MS : COARSE_GAP_MS);
    if (isGap) {
      times.push((before + sample.at) / 2_000);
      for (const column of columns) column.push(null);
    }
    times.push(sample.at / 1_000);
    lines.forEach(({ value }, index) => columns[index]?.push(value(sample)));
    columns.at(-1)?.push(slot === null || figure === null ? null : ofSlot(sample, figure, slot));
    before = sample.at;
  }
  return [times, ...columns];
}

/**
 * At most about `points` points: of each stretch the lowest and the highest stay, so that no peak is lost.
 * @param {readonly number[]} times
 * @param {readonly (number | null)[]} values
 * @param {number} points
 * @returns {{ readonly time: number, readonly value: number | null }[]}
 */
export function reduced(times, values, points) {
  const all = times.map((time, index) => ({ time, value: values[index] ?? null }));
  if (all.length <= points) return all;
  const size = Math.ceil((all.length * 2) / points);
  const stretches = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
  return stretches.flatMap(stretch => {
    const gap = stretch.find(({ value }) => value === null);
    const ordered = stretch
      .filter(({ value }) => value !== null)
      .toSorted((a, b) => Number(a.value) - Number(b.value));
    const kept = new Set([ordered[0], ordered.at(-1), gap].filter(point => point !== undefined));
    return [...kept].toSorted((a, b) => a.time - b.time);
  });
}

/** A round number at or above `value`, so that the scale rarely moves. @param {number} value @param {Plot} plot */
export function topOf(value, { least, isBinary }) {
  const wanted = Math.max(value * 1.05, least ?? 0);
  const base = isBinary ? 2 ** Math.floor(Math.log2(wanted)) : 10 ** Math.floor(Math.log10(wanted));
  const steps = isBinary ? [1, 1.25, 1.5, 1.75, 2] : [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  // With a little air, the top of a share is still 100 %.
  const air = value <= (least ?? 0) ? (least ?? 0) : wanted;
  return base * (steps.find(step => base * step >= air) ?? 10);
}

/**
 * What the plot shows, for those who do not see it.
 * @param {Plot} plot
 * @param {Columns} columns
 * @param {string} span in words
 */
export function sentenceOf({ title, lines, text }, [, values = []], span) {
  const numbers = values.filter(value => value !== null);
  if (numbers.length === 0) return `${title}, ${span}: no figures yet`;
  const [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)];
  return `${title} (${lines[0].label}), ${span}: now ${known(values.at(-1), text)}, lowest ${text(lowest)}, highest ${text(highest)}`;
}

/** Where the scale has lines; there are no halves of workers. @param {Plot} plot @param {number} top */
export const marksOf = ({ figure }, top) =>
  [0, top / 2, top].filter(value => figure !== null || Number.isInteger(value));

/** Without the decimals that only a figure needs. @param {Plot} plot @param {number} value */
export const axisText = ({ text }, value) => (value === 0 ? '0' : text(value).replace(/\.0+(?=\D|$)/, ''));
