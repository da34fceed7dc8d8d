/** "Save as HTML": one file for a post-mortem, without scripts, that asks no host for anything. */
import { element } from './dom.js';
import { isAcross } from './events.js';
import { clock, day } from './format.js';
import { eventItem, logItem } from './lists.js';
import { PLOTS } from './series.js';
import { plotDrawing } from './svg.js';

/** @typedef {import('./store.js').State} State */

/** Characters of the log that are saved, the newest ones. */
const MAX_LOG = 1_000_000;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/**
 * The whole file.
 * @param {State} state
 * @param {string} style of the page
 */
export function savedPage(state, style) {
  const saved = document.implementation.createHTMLDocument(titleOf(state));
  saved.documentElement.lang = 'en';
  saved.head.prepend(
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
  );
  saved.body.classList.add('saved');
  saved.body.append(...bodyOf(state));
  // As an element it would be blocked here already: it inherits the policy of this page.
  const html = saved.documentElement.outerHTML.replace('</head>', () => `<style>${style}</style></head>`);
  return `<!doctype html>\n${html}\n`;
}

/** @param {State} state */
const titleOf = ({ moment }) =>
  moment === null ? 'Live view' : `${moment.app} on ${day(moment.at)} at ${clock(moment.at)}`;

/** @param {State} state */
function bodyOf(state) {
  const { samples, events, log } = state;
  const to = samples.at(-1)?.at ?? 0;
  const time = { from: Math.min(samples[0]?.at ?? 0, to - 60_000), to };
  const seen = events.filter(({ at }) => at >= time.from && at <= time.to);
  const across = seen.filter(isAcross);
  const figures = PLOTS.map(plot =>
    element(
      'figure',
      {},
      element('figcaption', {}, element('span', { class: 'name' }, plot.title), legendOf(plot)),
      plotDrawing(plot, samples, across, time),
    ),
  );
  const lines = lastOf(log);
  return [
    headerOf(state),
    element(
      'main',
      {},
      section(
        `From ${clock(time.from)} to ${clock(time.to)}`,
        element('div', { class: 'plots' }, ...figures),
      ),
      section(
        'Events',
        element('ol', { class: 'events' }, ...events.toReversed().map(eventItem)),
        events.length,
      ),
      section('Workers', element('div', { class: 'scroll' }, copyOf('workers'))),
      section(
        'Routes',
        element('div', { class: 'scroll' }, copyOf('routes')),
        copyOf('routes').rows.length - 1,
      ),
      section('Log', element('ol', { class: 'log' }, ...lines.map(logItem)), lines.length),
    ),
  ];
}

/** @param {State} state */
function headerOf(state) {
  const shown = document.getElementById('state')?.cloneNode(true);
  if (shown instanceof Element) {
    shown.removeAttribute('role');
    shown.removeAttribute('aria-live');
  }
  return element(
    'header',
    {},
    element('div', { class: 'bar' }, element('h1', {}, titleOf(state))),
    ...(shown === undefined ? [] : [shown]),
  );
}

/** @param {string} title @param {Element} content @param {number} size of it */
const section = (title, content, size = 1) =>
  element(
    'section',
    {},
    element('div', { class: 'title' }, element('h2', {}, title)),
    size > 0 ? content : element('p', { class: 'empty' }, 'Nothing.'),
  );

/** @param {import('./series.js').Plot} plot */
const legendOf = ({ lines }) =>
  element(
    'span',
    { class: 'labels' },
    ...lines.map(({ label }, index) => element('span', { 'data-line': String(index + 1) }, label)),
  );

/** A table as it is shown, without its buttons. @param {string} id */
function copyOf(id) {
  const copy = /** @type {HTMLTableElement} */ (document.getElementById(id)?.cloneNode(true));
  copy.hidden = false;
  for (const button of copy.querySelectorAll('button')) button.replaceWith(button.textContent ?? '');
  for (const row of copy.querySelectorAll('[data-chosen]')) row.removeAttribute('data-chosen');
  return copy;
}

/** @param {State['log']} log */
function lastOf(log) {
  let room = MAX_LOG;
  return log
    .toReversed()
    .filter(({ text }) => (room -= text.length) >= 0)
    .toReversed();
}

/** @param {string} name of the file @param {BlobPart} content @param {string} type */
export function download(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = element('a', { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
