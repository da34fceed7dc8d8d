/** What every section is given, and what it has to be. */
import type { Row, Sample } from './rounds.js';
import type { CPUS } from './processes.js';

export interface Bench {
  /** The Node binary under which everything runs that is measured. */
  readonly node: string;
  /** Few and short rounds: to see that it works, not to quote. */
  readonly quick: boolean;
  readonly cpus: typeof CPUS;
  /** Progress, for whoever waits. */
  readonly tell: (text: string) => void;
}

/** A column of a table: a metric as median with least and greatest, or its ratio to a row. */
export interface Column {
  readonly title: string;
  readonly metric: string;
  readonly digits?: number;
  /** In place of the metric itself: the median of its ratios to this contender, round by round. */
  readonly to?: string;
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
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What is measured, and how to read it. Markdown. */
  readonly about: string;
  readonly run: (bench: Bench) => Promise<Sample[]>;
  readonly rows: readonly (Row & { readonly label: string })[];
  readonly columns: readonly Column[];
  readonly plots: readonly Plot[];
}
