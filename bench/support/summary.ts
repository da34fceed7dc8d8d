/** The beginning of the report: five sentences with figures. Pure. */
import type { Results } from './results.js';
import { ratio, summarise, type Sample, type Summary } from './rounds.js';

type Measure = (samples: readonly Sample[]) => Summary | undefined;

const timesOf =
  (contender: string, to: string): Measure =>
  samples =>
    ratio(samples, { contender }, { contender: to }, 'rps');

const nativeOf =
  (metric: string, x?: number): Measure =>
  samples =>
    summarise(samples, { contender: 'native', x }, metric);

/** Each sentence has a figure for each version of Node; a sentence without any figure is left out. */
export function summary(all: readonly Results[]): string {
  const versions = listed(all.map(({ node }) => node.split('.')[0] ?? node));
  const sentences = SENTENCES.flatMap(({ section, measure, digits = 0, text }) => {
    const found = all.map(({ sections }) => measure(sections[section]?.samples ?? []));
    const figures = found.map(figure => figure?.median.toFixed(digits) ?? 'an unknown number of');
    return found.some(figure => figure !== undefined) ? [`- ${text(listed(figures))}`] : [];
  });
  return [`On Node ${versions}, in this order:`, '', ...sentences].join('\n');
}

interface Sentence {
  readonly section: string;
  readonly measure: Measure;
  readonly digits?: number;
  readonly text: (figures: string) => string;
}

const SENTENCES: readonly Sentence[] = [
  {
    section: 'pair',
    measure: timesOf('native', 'pm2'),
    digits: 1,
    text: times =>
      `Two workers answer ${times} times as many requests as Express with helmet and pino-http under PM2.`,
  },
  {
    section: 'single-steady',
    measure: timesOf('ours', 'fastify'),
    digits: 1,
    text: times =>
      `A warm worker answers ${times} times as many requests as Fastify with its helmet and logger.`,
  },
  {
    section: 'start',
    measure: nativeOf('crashMs'),
    text: ms => `After a crash, the first answer of the new worker comes after ${ms} ms.`,
  },
  {
    section: 'start',
    measure: nativeOf('reloadWorkMs'),
    text: ms =>
      `A reload of two workers takes ${ms} ms, plus one second for which the first new worker must stay up.`,
  },
  {
    section: 'accepting',
    measure: nativeOf('supervisorCores', 2),
    digits: 2,
    text: cores => `With a new connection for every request the supervisor uses ${cores} CPU cores.`,
  },
];

/** `a, b and c`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
