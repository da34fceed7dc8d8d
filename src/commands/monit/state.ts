/** What `monit` knows and shows, and the events that change it. Pure. */
import type { LogLine, Moment } from '../../live/messages.js';
import type { ActionOutcome } from '../../supervisor/action.js';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The service, as far as it is known. */
export interface Data {
  /** Those of the last two minutes, the newest last; never empty. */
  readonly moments: readonly [...Moment[], Moment];
  /** Since when it cannot be reached (ms since the epoch), and why. */
  readonly lost: { readonly since: number; readonly now: number; readonly reason: string } | undefined;
  /** The last lines, the newest last. */
  readonly lines: readonly LogLine[];
  /** The last warnings and errors, the newest last. */
  readonly problems: readonly LogLine[];
}

export const SORTS = ['slot', 'cpu', 'memory', 'req/s', 'p99', 'restarts'] as const;
export type Sort = (typeof SORTS)[number];

/** What a key has ordered, in the words of the control socket. */
export type Order =
  | { readonly action: 'reload' }
  | { readonly action: 'scale'; readonly instances: number }
  | { readonly action: 'stop' };

/** An order that has not been answered yet. */
export interface Pending {
  readonly id: number;
  readonly order: Order;
}

/** A sentence for the person at the keys. */
export interface Notice {
  readonly tone: 'good' | 'passing' | 'bad';
  readonly text: string;
  /** ms since the epoch at which it goes by itself; one that is bad waits for a key. */
  readonly until: number;
}

export interface State {
  readonly size: Size;
  readonly data: Data;
  /** What is shown while it is paused. */
  readonly frozen: Data | undefined;
  readonly isHelp: boolean;
  /** Stopping is asked for, and not confirmed yet. */
  readonly isAsking: boolean;
  readonly isErrorsFirst: boolean;
  readonly sort: Sort;
  /** Workers above the first one that is shown. */
  readonly scroll: number;
  /** How many have been given. */
  readonly orders: number;
  /** The newest one last. */
  readonly pending: readonly Pending[];
  readonly notice: Notice | undefined;
}

export type Event =
  | { readonly type: 'moment'; readonly moment: Moment }
  | { readonly type: 'lost'; readonly at: number; readonly reason: string }
  | { readonly type: 'log'; readonly lines: readonly LogLine[] }
  | { readonly type: 'resize'; readonly size: Size }
  /** @see keys.ts for the names */
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'outcome'; readonly id: number; readonly outcome: ActionOutcome };

/** What is to be done outside. */
export type Effect =
  { readonly do: 'quit' } | { readonly do: 'suspend' } | ({ readonly do: 'order' } & Pending);

export interface Step {
  readonly state: State;
  readonly effect?: Effect;
}

export const firstState = (size: Size, moment: Moment): State => ({
  size,
  data: { moments: [moment], lost: undefined, lines: [], problems: [] },
  frozen: undefined,
  isHelp: false,
  isAsking: false,
  isErrorsFirst: false,
  sort: 'slot',
  scroll: 0,
  orders: 0,
  pending: [],
  notice: undefined,
});

/** What is on the screen: a paused view stays as it was. */
export const shown = ({ data, frozen }: State): Data => frozen ?? data;

export const newest = ({ moments }: Data): Moment => moments[moments.length - 1] as Moment;

export const isProblem = ({ level }: Pick<LogLine, 'level'>): boolean =>
  level === 'warn' || level === 'error' || level === 'fatal';
