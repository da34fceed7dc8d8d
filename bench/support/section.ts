/** What every section is given, and what it has to be. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row, Sample, Summary } from './rounds.js';
import type { CPUS } from './processes.js';

export interface Bench {
  /** The Node binary under which everything runs that is measured. */
  readonly node: string;
  /** Its version, without the v. */
  readonly version: string;
  /** Few and short rounds: to see that it works, not to quote. */
  readonly quick: boolean;
  readonly cpus: typeof CPUS;
  /** Progress, for whoever waits. */
  readonly tell: (text: string) => void;
}

/** What rests is looked at so long after its start: V8 goes on tidying up for about a dozen seconds. */
export const SETTLED_S = 20;

export const settle = ({ quick }: Bench): Promise<void> => sleep(quick ? 1_000 : SETTLED_S * 1_000);

/** A column of a table: a metric as median with least and greatest, or a ratio. */
export interface Column {
  readonly title: string;
  readonly metric: string;
  readonly digits?: number;
  /** In place of the metric itself: the median of its ratios to this contender, round by round. */
  readonly to?: string;
  /** The other way round: the median of the ratios of this contender to the row. */
  readonly of?: string;
  /** The ratio of the best rounds in place of the median one. */
  readonly atBest?: true;
  /** Without least and greatest. */
  readonly brief?: boolean;
}

export interface Plot {
  /** Name of the file, without ending. */
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly metric: string;
  /** Lines over `x`, what it means and goes by; else bars. */
  readonly over?: string;
  /** The contenders that are drawn, if not all. */
  readonly only?: readonly string[];
  /** The only `x` that is drawn as bars. */
  readonly at?: number;
}

/** For every version of Node, or by major version; where there is none, the figure is shown without a judgement. */
export type Bound = number | Readonly<Record<number, number>>;

/** Something that the service set out to reach, and what says whether it has. */
export interface Aim {
  readonly what: string;
  readonly measured: (samples: readonly Sample[]) => Summary | undefined;
  /** The same of the best rounds; shown beside it, and not judged. */
  readonly atBest?: (samples: readonly Sample[]) => number | undefined;
  readonly atLeast?: Bound;
  readonly atMost?: Bound;
  readonly unit?: string;
  readonly digits?: number;
}

export interface SectionRow extends Row {
  readonly label: string;
  /** In place of the metrics: how they grow with `x`. */
  readonly growth?: true;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What is measured, and how to read it. Markdown. */
  readonly about: string;
  readonly run: (bench: Bench) => Promise<Sample[]>;
  readonly rows: readonly SectionRow[];
  readonly columns: readonly Column[];
  readonly aims?: readonly Aim[];
  readonly plots: readonly Plot[];
}
