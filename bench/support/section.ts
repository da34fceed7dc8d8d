/** The type of a section, and what it gets. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row, Sample, Summary } from './rounds.js';
import type { CPUS } from './processes.js';

export interface Bench {
  /** The Node binary that runs all contenders. */
  readonly node: string;
  /** Its version, without the v. */
  readonly version: string;
  /** Few and short rounds, to check that everything works. */
  readonly quick: boolean;
  readonly cpus: typeof CPUS;
  /** Prints progress. */
  readonly log: (text: string) => void;
}

/** Idle processes are measured this long after their start: V8 frees memory for about a dozen seconds. */
export const SETTLED_S = 20;

export const settle = ({ quick }: Bench): Promise<void> => sleep(quick ? 1_000 : SETTLED_S * 1_000);

/** A column of a table: a metric as median with minimum and maximum, or a ratio. */
export interface Column {
  readonly title: string;
  readonly metric: string;
  readonly digits?: number;
  /** Shows the median of the row's ratios to this contender, round by round. */
  readonly to?: string;
  /** Shows the median of this contender's ratios to the row, round by round. */
  readonly of?: string;
  /** Shows the ratio of the best rounds instead. */
  readonly atBest?: true;
  /** Without minimum and maximum. */
  readonly brief?: boolean;
}

export interface Plot {
  /** Name of the file without extension. */
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly metric: string;
  /** Draws lines over `x`, which has this meaning; otherwise bars. */
  readonly over?: string;
  /** The contenders to draw; by default all. */
  readonly only?: readonly string[];
  /** The only `x` to draw as bars. */
  readonly at?: number;
}

/** For every version of Node, or by major version; without a bound, the figure is shown without a verdict. */
export type Bound = number | Readonly<Record<number, number>>;

/** A performance aim of the service. */
export interface Aim {
  readonly what: string;
  readonly measured: (samples: readonly Sample[]) => Summary | undefined;
  /** The same for the best rounds; shown, but not compared with the bound. */
  readonly atBest?: (samples: readonly Sample[]) => number | undefined;
  readonly atLeast?: Bound;
  readonly atMost?: Bound;
  readonly unit?: string;
  readonly digits?: number;
}

export interface SectionRow extends Row {
  readonly label: string;
  /** Shows how the metrics grow with `x` instead. */
  readonly growth?: true;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What is measured, in Markdown. */
  readonly about: string;
  readonly run: (bench: Bench) => Promise<Sample[]>;
  readonly rows: readonly SectionRow[];
  readonly columns: readonly Column[];
  readonly aims?: readonly Aim[];
  readonly plots: readonly Plot[];
}
