/**
 * Statistics over rounds. Pure: nothing is measured here.
 *
 * On a shared machine the speed changes by the minute. So contenders take turns, the order is reversed in every second
 * round, and a ratio is computed within a round before the median is taken: other load slows both of a pair.
 */

/** One contender in one round. */
export interface Sample {
  readonly contender: string;
  /** A parameter of the row, such as the number of workers. */
  readonly x?: number;
  readonly round: number;
  /** Cores used by other processes, on average over the round. */
  readonly foreign?: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface Row {
  readonly contender: string;
  readonly x?: number | undefined;
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
  /** The number of quiet rounds. If there are any, the median is theirs; minimum and maximum are of all rounds. */
  readonly quiet: number;
}

/** With more load by other processes a round is noisy: a quarter of a core changes figures more than they differ. */
export const NOISY_CORES = 0.25;

/** The contenders in the order of their turns, which is reversed in every second round. */
export function inTurns<T>(contenders: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? contenders : contenders.toReversed();
}

export const isQuiet = ({ foreign = 0 }: Sample): boolean => foreign <= NOISY_CORES;

const isOf =
  ({ contender, x }: Row) =>
  (sample: Sample): boolean =>
    sample.contender === contender && (x === undefined || sample.x === x);

/** @returns `undefined` if there is no such sample */
export function summarise(samples: readonly Sample[], row: Row, metric: string): Summary | undefined {
  const all = samples.filter(sample => isOf(row)(sample) && sample.values[metric] !== undefined);
  if (all.length === 0) return undefined;
  const quiet = all.filter(isQuiet);
  const numbers = all.map(valueOf(metric));
  return {
    median: median((quiet.length > 0 ? quiet : all).map(valueOf(metric))),
    min: Math.min(...numbers),
    max: Math.max(...numbers),
    rounds: all.length,
    quiet: quiet.length,
  };
}

/** The median of the ratios within each round; of the quiet pairs, if there are any. */
export function ratio(samples: readonly Sample[], row: Row, to: Row, metric: string): Summary | undefined {
  const partners = samples.filter(isOf(to));
  const pairs = samples.filter(isOf(row)).flatMap(sample => {
    const partner = partners.find(({ round }) => round === sample.round);
    const value = sample.values[metric];
    const base = partner?.values[metric];
    if (partner === undefined || value === undefined || base === undefined || base === 0) return [];
    return [{ ratio: value / base, quiet: isQuiet(sample) && isQuiet(partner) }];
  });
  if (pairs.length === 0) return undefined;
  const quiet = pairs.filter(pair => pair.quiet);
  const numbers = pairs.map(pair => pair.ratio);
  return {
    median: median((quiet.length > 0 ? quiet : pairs).map(pair => pair.ratio)),
    min: Math.min(...numbers),
    max: Math.max(...numbers),
    rounds: pairs.length,
    quiet: quiet.length,
  };
}

/**
 * The ratio of the best rounds, for a metric of which more is better. Other load makes rounds only worse, so the best ones
 * were disturbed the least; but a single lucky round says little.
 */
export function ratioAtBest(
  samples: readonly Sample[],
  row: Row,
  to: Row,
  metric: string,
): number | undefined {
  const [value, base] = [summarise(samples, row, metric)?.max, summarise(samples, to, metric)?.max];
  return value === undefined || base === undefined || base === 0 ? undefined : value / base;
}

/**
 * The power of `x` with which a metric grows over the last two doublings of `x`: 0 is constant, 1 is linear. Over smaller
 * steps the constant part would hide the growth.
 */
export function growth(samples: readonly Sample[], contender: string, metric: string): Summary | undefined {
  const points = [...new Set(samples.filter(isOf({ contender })).flatMap(({ x }) => x ?? []))]
    .toSorted((a, b) => a - b)
    .flatMap(x => {
      const found = summarise(samples, { contender, x }, metric);
      return found === undefined || found.median <= 0 ? [] : [{ x, ...found }];
    });
  const last = points.at(-1);
  const first = points.find(({ x }) => x * 4 >= (last?.x ?? 0));
  if (first === undefined || last === undefined || first === last) return undefined;
  const power = (from: number, to: number): number => Math.log(to / from) / Math.log(last.x / first.x);
  return {
    median: power(first.median, last.median),
    min: power(first.max, last.min),
    max: power(first.min, last.max),
    rounds: Math.min(first.rounds, last.rounds),
    quiet: Math.min(first.quiet, last.quiet),
  };
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

const valueOf =
  (metric: string) =>
  (sample: Sample): number =>
    sample.values[metric] ?? Number.NaN;
