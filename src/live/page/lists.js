/** The events, as a time line and as a list, and the log. */
import { element, icon, reconcile, setText } from './dom.js';
import { clock, day, exactClock } from './format.js';
import { markersOf } from './events.js';
import { matching } from './log.js';

/** @typedef {import('../messages.js').Lifecycle} Lifecycle */
/** @typedef {import('../messages.js').LogLine} LogLine */

/** @param {Lifecycle} event */
const keyOf = ({ at, kind, slot, pid, stack, text }) =>
  `${at} ${kind} ${slot} ${pid} ${stack === null ? '' : 'stack'} ${text}`;

/** @param {Lifecycle} event */
const idOf = ({ at, kind, slot, pid }) => `event-${at}-${kind}-${slot}-${pid}`;

/** With its slot, if it does not say that itself. @param {Lifecycle} event */
export const eventText = ({ slot, text }) =>
  slot === null || text.includes(`slot ${slot}`) ? text : `slot ${slot}: ${text}`;

/** Pixels below which two markers are one. */
const GAP = 26;

/** @param {HTMLElement} parent @param {HTMLElement} empty */
export function createTimeline(parent, empty) {
  const lane = element('div', { class: 'lane' });
  parent.append(lane);

  /** @param {import('./events.js').Marker} marker @returns {HTMLElement} */
  function make({ kind, events }) {
    const [first] = events;
    const several = events.length > 1;
    const words = events.map(event => `${clock(event.at)} ${event.kind}, ${eventText(event)}`);
    const button = element(
      'button',
      {
        type: 'button',
        class: 'marker',
        'data-kind': kind,
        'aria-label': several ? `${events.length} events: ${words.join('; ')}` : words[0],
      },
      icon(kind),
    );
    if (several)
      button.append(element('span', { class: 'number', 'aria-hidden': 'true' }, String(events.length)));
    const shown = words.slice(0, 6).map(word => element('span', {}, word));
    if (words.length > shown.length)
      shown.push(element('span', {}, `and ${words.length - shown.length} more`));
    button.append(element('span', { class: 'tip', 'aria-hidden': 'true' }, ...shown));
    button.addEventListener('click', () => first !== undefined && reveal(first));
    return button;
  }

  return {
    /** @param {readonly Lifecycle[]} events @param {number} from @param {number} to */
    show(events, from, to) {
      const width = lane.clientWidth;
      if (width === 0) return;
      const markers = markersOf(events, { from, to, width, gap: GAP });
      reconcile(
        lane,
        markers.map(({ events: group }) => group.map(keyOf).join('|')),
        index => make(/** @type {import('./events.js').Marker} */ (markers[index])),
      );
      markers.forEach(({ position }, index) => {
        const marker = lane.children[index];
        if (!(marker instanceof HTMLElement)) return;
        marker.style.left = `${position.toFixed(1)}px`;
        marker.classList.toggle('late', position > width * 0.6);
      });
      empty.hidden = markers.length > 0;
    },
  };
}

/** @param {Lifecycle} event */
function reveal(event) {
  const item = document.getElementById(idOf(event));
  if (item === null) return;
  item.scrollIntoView({ block: 'nearest' });
  item.focus({ preventScroll: false });
}

/** @param {Lifecycle} event @returns {HTMLElement} */
export function eventItem(event) {
  const time = element(
    'time',
    { datetime: new Date(event.at).toISOString(), title: day(event.at) },
    clock(event.at),
  );
  const text = element('p', {}, element('strong', {}, event.kind), ' ', eventText(event));
  const body = element('div', {}, text);
  if (event.stack !== null)
    body.append(
      element(
        'details',
        {},
        element('summary', {}, 'Where it hung'),
        element('pre', { tabindex: '0' }, event.stack),
      ),
    );
  return element(
    'li',
    { id: idOf(event), tabindex: '-1', 'data-kind': event.kind },
    time,
    icon(event.kind),
    body,
  );
}

/** The newest is first. @param {HTMLElement} list @param {HTMLElement} empty */
export function createEvents(list, empty) {
  /** @type {readonly Lifecycle[]} */
  let before = [];
  return {
    /** @param {readonly Lifecycle[]} events */
    show(events) {
      if (events === before) return;
      before = events;
      const newest = events.toReversed();
      reconcile(list, newest.map(keyOf), index => eventItem(/** @type {Lifecycle} */ (newest[index])));
      list.hidden = events.length === 0;
      empty.hidden = events.length > 0;
    },
  };
}

/** Lines that are in the document; the filter looks at all that are kept. */
const MAX_SHOWN = 300;

/** @param {LogLine} line @returns {HTMLElement} */
export const logItem = ({ at, level, slot, pid, requestId, text }) =>
  element(
    'li',
    { 'data-level': level },
    element('time', { datetime: new Date(at).toISOString() }, exactClock(at)),
    element('span', { class: 'level' }, level),
    element('span', { class: 'worker', title: `pid ${pid}` }, `slot ${slot}`),
    element('span', { class: 'text' }, text),
    element('span', { class: 'request' }, requestId ?? ''),
  );

/** @param {{ list: HTMLElement, empty: HTMLElement, note: HTMLElement }} parts */
export function createLogList({ list, empty, note }) {
  /** @type {{ lines: readonly LogLine[], filter: string }} */
  let before = { lines: [], filter: '' };
  /** Identity is the key: two lines may well be equal. @type {WeakMap<LogLine, HTMLElement>} */
  const items = new WeakMap();

  return {
    /** @param {readonly LogLine[]} lines @param {import('./log.js').Filter} filter */
    show(lines, filter) {
      const key = `${filter.level} ${filter.search}`;
      if (lines === before.lines && key === before.filter) return;
      before = { lines, filter: key };
      const found = lines.filter(matching(filter));
      const shown = found.slice(-MAX_SHOWN);
      const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
      list.replaceChildren(...shown.map(itemOf));
      if (isAtEnd) list.scrollTop = list.scrollHeight;
      list.hidden = shown.length === 0;
      empty.hidden = shown.length > 0;
      setText(
        empty,
        lines.length === 0
          ? 'No lines yet: they appear here as they are written.'
          : `None of the last ${lines.length} lines is like this.`,
      );
      setText(note, lines.length === 0 ? '' : noteOf(lines.length, found.length, shown.length));
    },
  };

  /** @param {LogLine} line */
  function itemOf(line) {
    const item = items.get(line) ?? logItem(line);
    items.set(line, item);
    return item;
  }
}

/** @param {number} all @param {number} found @param {number} shown */
const noteOf = (all, found, shown) =>
  found === shown ? `${found} of the last ${all} lines` : `the last ${shown} of ${found} lines`;
