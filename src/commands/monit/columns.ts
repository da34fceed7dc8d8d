/** The columns of the table of workers, and which of them have room. Pure. */
import type { LiveWorker } from '../../live/messages.js';
import type { Sort } from './state.js';
import { shortDuration } from './text.js';

export interface Column {
  readonly title: string;
  /** Columns that it takes at least: it does not move while figures change. */
  readonly width: number;
  readonly align: 'left' | 'right';
  cell(worker: LiveWorker): string;
  readonly sort?: Sort;
  /** What its sparkline shows. */
  readonly trend?: {
    value(worker: LiveWorker): number | null;
    /** What the highest bar stands for at least; more if a worker has had more. */
    readonly top: number;
  };
}

const number = (value: number | null, digits: number): string =>
  value === null ? '-' : value.toFixed(digits);

/** Milliseconds: `0.2`, `12.3`, `1234`. */
const milliseconds = (value: number | null): string =>
  number(value, value !== null && value >= 1_000 ? 0 : 1);

const COLUMNS = {
  slot: { title: 'slot', width: 4, align: 'right', cell: ({ slot }) => String(slot), sort: 'slot' },
  state: { title: 'state', width: 8, align: 'left', cell: ({ state }) => state },
  pid: { title: 'pid', width: 5, align: 'right', cell: ({ pid }) => number(pid, 0) },
  generation: { title: 'gen', width: 3, align: 'right', cell: ({ generation }) => number(generation, 0) },
  up: {
    title: 'up',
    width: 6,
    align: 'right',
    cell: ({ uptimeMs }) => (uptimeMs === null ? '-' : shortDuration(uptimeMs)),
  },
  restarts: {
    title: 'restarts',
    width: 8,
    align: 'right',
    cell: ({ restarts }) => number(restarts, 0),
    sort: 'restarts',
  },
  cpu: {
    title: 'cpu %',
    width: 5,
    align: 'right',
    cell: ({ cpu }) => number(cpu, 1),
    sort: 'cpu',
    trend: { value: ({ cpu }) => cpu, top: 100 },
  },
  memory: {
    title: 'mem MB',
    width: 6,
    align: 'right',
    cell: ({ memory }) => number(memory === null ? null : memory / 2 ** 20, 0),
    sort: 'memory',
    trend: { value: ({ memory }) => memory, top: 0 },
  },
  loop: {
    title: 'loop %',
    width: 6,
    align: 'right',
    cell: ({ eventLoopUtilization: share }) => number(share === null ? null : share * 100, 1),
    trend: { value: ({ eventLoopUtilization }) => eventLoopUtilization, top: 1 },
  },
  requests: {
    title: 'req/s',
    width: 7,
    align: 'right',
    cell: ({ requestsPerSecond }) => number(requestsPerSecond, 1),
    sort: 'req/s',
    trend: { value: ({ requestsPerSecond }) => requestsPerSecond, top: 1 },
  },
  p50: { title: 'p50 ms', width: 6, align: 'right', cell: ({ p50Ms }) => milliseconds(p50Ms) },
  p99: {
    title: 'p99 ms',
    width: 6,
    align: 'right',
    cell: ({ p99Ms }) => milliseconds(p99Ms),
    sort: 'p99',
    trend: { value: ({ p99Ms }) => p99Ms, top: 1 },
  },
  inFlight: {
    title: 'in flight',
    width: 9,
    align: 'right',
    cell: ({ inFlight }) => number(inFlight, 0),
    trend: { value: ({ inFlight }) => inFlight, top: 1 },
  },
} satisfies Readonly<Record<string, Column>>;

type Name = keyof typeof COLUMNS;

/** Without room, columns go in this order; slot and state stay. */
const DROPPED: readonly Name[] = [
  'p50',
  'generation',
  'inFlight',
  'restarts',
  'up',
  'loop',
  'pid',
  'memory',
  'p99',
  'cpu',
  'requests',
];

/** Where there is room for more, sparklines come in this order. */
const TRENDS: readonly Name[] = ['requests', 'p99', 'cpu', 'loop', 'memory', 'inFlight'];

/** Columns that a sparkline takes. */
const TREND_WIDTH = { least: 8, most: 20 } as const;

export interface Fitted {
  readonly column: Column;
  /** Columns of space in front of it. */
  readonly margin: number;
  readonly width: number;
  /** Of its sparkline, 0 for none. */
  readonly trendWidth: number;
}

/** Two columns of space between the columns where that costs nothing, otherwise one. */
export function fit(workers: readonly LiveWorker[], room: number): readonly Fitted[] {
  const widths = new Map<Name, number>();
  for (const name of Object.keys(COLUMNS) as Name[]) {
    const column: Column = COLUMNS[name];
    widths.set(name, Math.max(column.width, ...workers.map(worker => column.cell(worker).length)));
  }
  const total = (names: readonly Name[], gap: number): number =>
    names.reduce((sum, name) => sum + (widths.get(name) ?? 0), (names.length - 1) * gap);
  const gap = total([...widths.keys()], 2) <= room ? 2 : 1;
  let names = [...widths.keys()];
  for (const name of DROPPED) if (total(names, gap) > room) names = names.filter(other => other !== name);
  const trends = trendsIn(room - total(names, gap), names);
  return names.map((name, index) => ({
    column: COLUMNS[name],
    margin: index === 0 ? 0 : gap,
    width: widths.get(name) ?? 0,
    trendWidth: trends.get(name) ?? 0,
  }));
}

/** Figures come before sparklines: there are none as long as a column is missing. */
function trendsIn(room: number, names: readonly Name[]): ReadonlyMap<Name, number> {
  const isWhole = names.length === Object.keys(COLUMNS).length;
  const count = isWhole ? Math.min(TRENDS.length, Math.floor(room / (TREND_WIDTH.least + 1))) : 0;
  const width = Math.min(TREND_WIDTH.most, Math.floor(room / Math.max(1, count)) - 1);
  return new Map(TRENDS.slice(0, Math.max(0, count)).map(name => [name, width]));
}

const SORTED_BY: Readonly<Record<Sort, (worker: LiveWorker) => number>> = {
  slot: () => 0,
  cpu: ({ cpu }) => cpu ?? -1,
  memory: ({ memory }) => memory ?? -1,
  'req/s': ({ requestsPerSecond }) => requestsPerSecond ?? -1,
  p99: ({ p99Ms }) => p99Ms ?? -1,
  restarts: ({ restarts }) => restarts ?? -1,
};

/** The highest first; slots from the first to the last. */
export function sorted(workers: readonly LiveWorker[], sort: Sort): LiveWorker[] {
  const value = SORTED_BY[sort];
  return workers.toSorted((one, other) => value(other) - value(one) || one.slot - other.slot);
}
