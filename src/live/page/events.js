/** Lifecycle events: merged without doubles, and gathered into markers of a time line. Pure. */

/** @typedef {import('../messages.js').Lifecycle} Lifecycle */

/** The oldest ones beyond this number are dropped. */
export const MAX_EVENTS = 500;

/** Two servers may see the same event at times so far apart, in ms. */
const SAME_MS = 3_000;

/** Of a reload or a scale, two that are so close still differ in their texts. @param {Lifecycle} a @param {Lifecycle} b */
const areSame = (a, b) =>
  a.kind === b.kind &&
  a.slot === b.slot &&
  a.pid === b.pid &&
  Math.abs(a.at - b.at) <= SAME_MS &&
  (a.pid !== null || a.text === b.text);

/**
 * Both together in the order of time. An event that is kept already is replaced if the other one has a stack.
 * @param {readonly Lifecycle[]} events
 * @param {readonly Lifecycle[]} incoming
 * @returns {readonly Lifecycle[]}
 */
export function mergedEvents(events, incoming) {
  const all = [...events];
  for (const event of incoming) {
    const index = all.findIndex(other => areSame(other, event));
    if (index === -1) all.push(event);
    else if (event.stack !== null && all[index]?.stack === null) all[index] = event;
  }
  return all.toSorted((a, b) => a.at - b.at).slice(-MAX_EVENTS);
}

/** What is worst comes first. @type {readonly Lifecycle['kind'][]} */
const BY_WEIGHT = ['crash', 'hang', 'memory', 'reload', 'scale', 'stop', 'start', 'ready'];

/** @typedef {{ readonly position: number, readonly kind: Lifecycle['kind'], readonly events: readonly Lifecycle[] }} Marker */

/**
 * Events of a time line that is `width` wide; those that would overlap are one marker, of the kind of the worst.
 * @param {readonly Lifecycle[]} events in order
 * @param {{ readonly from: number, readonly to: number, readonly width: number, readonly gap: number }} place times in ms
 * @returns {readonly Marker[]}
 */
export function markersOf(events, { from, to, width, gap }) {
  /** @type {{ position: number, events: Lifecycle[] }[]} */
  const groups = [];
  for (const event of events) {
    if (event.at < from || event.at > to) continue;
    const position = ((event.at - from) / (to - from)) * width;
    const last = groups.at(-1);
    if (last !== undefined && position - last.position < gap) last.events.push(event);
    else groups.push({ position, events: [event] });
  }
  return groups.map(group => ({ ...group, kind: worst(group.events) }));
}

/** @param {readonly Lifecycle[]} events @returns {Lifecycle['kind']} */
const worst = events => BY_WEIGHT.find(kind => events.some(event => event.kind === kind)) ?? 'ready';

/** Events that deserve a line across the plots: a worker that leaves in order does not. @param {Lifecycle} event */
export const isAcross = ({ kind, slot }) =>
  !['start', 'ready'].includes(kind) && (kind !== 'stop' || slot === null);
