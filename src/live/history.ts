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

/** What they may take as JSON, in bytes; the oldest go first. An hour of eight workers takes about 1 MiB. */
const MAX_MOMENT_BYTES = 4 * 1024 * 1024;
const MAX_EVENT_BYTES = 1024 * 1024;
export const MAX_HISTORY = MAX_MOMENT_BYTES + MAX_EVENT_BYTES;

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
  moments: boundedMoments([...history.moments, moment]),
});

export const withEvent = (history: History, event: Kept): History => ({
  ...history,
  events: boundedEvents([...history.events, event]),
});

const boundedMoments = (moments: readonly Kept[]): Kept[] =>
  fitting(thinned(moments, moments[moments.length - 1]?.at ?? 0), MAX_MOMENT_BYTES);

const boundedEvents = (events: readonly Kept[]): Kept[] =>
  fitting(events.slice(-MAX_EVENTS), MAX_EVENT_BYTES);

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

function fitting(kept: readonly Kept[], most: number): Kept[] {
  let bytes = 0;
  const tooMany = kept.findLastIndex(({ json }) => (bytes += json.length) > most);
  return kept.slice(tooMany + 1);
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

/** So many moments are thinned at a time: to do so after each takes most of the time for a full file. */
const BATCH = 2_000;

/** Lines that are broken, as the last one of a process that was killed, are left out. */
export function parseHistory(file: Buffer): History {
  let moments: Kept[] = [];
  const events: Kept[] = [];
  for (const line of linesOf(file)) {
    const found = parseLine(line);
    if (found === undefined) continue;
    if ('moment' in found) moments.push(keptMoment(found.moment));
    else events.push(keptEvent(found.lifecycle));
    if (moments.length >= BATCH) moments = boundedMoments(moments);
  }
  return { moments: boundedMoments(moments), events: boundedEvents(events) };
}

/** One at a time: as one string, a long file takes most of the memory that an observer thread has. */
function* linesOf(file: Buffer): Generator<string> {
  for (let start = 0, end = 0; start < file.length; start = end + 1) {
    end = file.indexOf('\n', start);
    if (end === -1) end = file.length;
    yield file.toString('utf8', start, end);
  }
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
