/** What the live page has shown in the last hour, bounded in time and in bytes. Pure. */
import type { Lifecycle, Moment } from './messages.js';

/** How far apart moments are kept, by their age; both in ms. */
const STEPS = [
  { olderThan: 10 * 60_000, apart: 30_000 },
  { olderThan: 2 * 60_000, apart: 5_000 },
  { olderThan: 0, apart: 0 },
] as const;

const MAX_AGE_MS = 60 * 60_000;
const MAX_EVENTS = 200;

/** What all moments may take as JSON, in bytes; the oldest go first. An hour of eight workers takes about 1 MiB. */
export const MAX_HISTORY = 4 * 1024 * 1024;

/** Longest JSON of an event, in characters: a stack may be long. */
const MAX_EVENT = 16 * 1024;

/** A moment or an event, as it is stored and sent. */
export interface Kept {
  readonly at: number;
  readonly json: string;
}

export interface History {
  readonly moments: readonly Kept[];
  readonly events: readonly Kept[];
}

export const NO_HISTORY: History = { moments: [], events: [] };

export const keptMoment = (moment: Moment): Kept => ({ at: moment.at, json: JSON.stringify(moment) });

export function keptEvent(event: Lifecycle): Kept {
  const json = JSON.stringify(event);
  return { at: event.at, json: json.length > MAX_EVENT ? JSON.stringify({ ...event, stack: null }) : json };
}

export const withMoment = (history: History, moment: Kept): History => ({
  ...history,
  moments: fitting(thinned([...history.moments, moment], moment.at)),
});

export const withEvent = (history: History, event: Kept): History => ({
  ...history,
  events: [...history.events, event].slice(-MAX_EVENTS),
});

function thinned(moments: readonly Kept[], now: number): Kept[] {
  let last = -Infinity;
  return moments.filter(({ at }) => {
    const age = now - at;
    const apart = STEPS.find(({ olderThan }) => age >= olderThan)?.apart ?? 0;
    if (age > MAX_AGE_MS || (at - last < apart && at >= last)) return false;
    last = at;
    return true;
  });
}

function fitting(moments: Kept[]): Kept[] {
  let bytes = 0;
  const first = moments.findLastIndex(({ json }) => (bytes += json.length) > MAX_HISTORY);
  return moments.slice(first + 1);
}

/** The JSON of a `LiveHistory`. */
export const historyJson = ({ moments, events }: History): string =>
  `{"moments":[${joined(moments)}],"lifecycle":[${joined(events)}]}`;

const joined = (kept: readonly Kept[]): string => kept.map(({ json }) => json).join(',');

/** Lines of the file in which the next holder of the port finds the history. */
export const momentLine = ({ json }: Kept): string => `{"moment":${json}}\n`;
export const eventLine = ({ json }: Kept): string => `{"lifecycle":${json}}\n`;

export const historyLines = ({ moments, events }: History): string =>
  [...moments.map(momentLine), ...events.map(eventLine)].join('');

/** Lines that are broken, as the last one of a process that was killed, are left out. */
export function parseHistory(text: string): History {
  let history = NO_HISTORY;
  for (const line of text.split('\n')) {
    const found = parseLine(line);
    if (found === undefined) continue;
    history =
      'moment' in found
        ? withMoment(history, keptMoment(found.moment))
        : withEvent(history, keptEvent(found.lifecycle));
  }
  return history;
}

type Line = { readonly moment: Moment } | { readonly lifecycle: Lifecycle };

function parseLine(line: string): Line | undefined {
  try {
    const value = JSON.parse(line) as Line;
    const { at } = 'moment' in value ? value.moment : value.lifecycle;
    return Number.isFinite(at) ? value : undefined;
  } catch {
    return undefined;
  }
}
