/** The tables of workers and of routes. */
import { element, reconcile, setAttribute, setText } from './dom.js';
import { bytes, count, duration, known, latency, percent, rate, share, UNKNOWN } from './format.js';
import { toneOfWorker } from './headline.js';

/** @typedef {import('../messages.js').LiveWorker} LiveWorker */
/** @typedef {import('../messages.js').LiveRoute} LiveRoute */

/**
 * @template T
 * @typedef {{ readonly title: string, readonly hint?: string, readonly text: (row: T) => string, readonly isWord?: boolean, readonly tone?: (row: T) => string }} Column
 */

/** @type {readonly Column<LiveWorker>[]} */
const OF_WORKER = [
  { title: 'Slot', text: ({ slot }) => String(slot), isWord: true },
  { title: 'State', text: ({ state }) => state, isWord: true, tone: ({ state }) => toneOfWorker(state) },
  { title: 'Pid', text: ({ pid }) => known(pid, String) },
  {
    title: 'Gen',
    hint: 'Generation: each reload makes a new one',
    text: ({ generation }) => known(generation, String),
  },
  { title: 'Up', hint: 'Uptime', text: ({ uptimeMs }) => known(uptimeMs, duration) },
  {
    title: 'Restarts',
    text: ({ restarts }) => known(restarts, count),
    tone: ({ restarts }) => ((restarts ?? 0) > 0 ? 'noted' : ''),
  },
  { title: 'CPU', hint: 'Of one core', text: ({ cpu }) => known(cpu, percent) },
  { title: 'Memory', hint: 'RSS', text: ({ memory }) => known(memory, bytes) },
  {
    title: 'Loop',
    hint: 'Event loop utilization',
    text: ({ eventLoopUtilization }) => known(eventLoopUtilization, share),
  },
  {
    title: 'Req/s',
    hint: 'Requests per second',
    text: ({ requestsPerSecond }) => known(requestsPerSecond, rate),
  },
  { title: 'p50', hint: 'Half of the requests are quicker', text: ({ p50Ms }) => known(p50Ms, latency) },
  { title: 'p99', hint: '99 of 100 requests are quicker', text: ({ p99Ms }) => known(p99Ms, latency) },
  {
    title: 'In flight',
    hint: 'Requests that are being answered',
    text: ({ inFlight }) => known(inFlight, count),
  },
];

/** @type {readonly Column<LiveRoute>[]} */
const OF_ROUTE = [
  {
    title: 'Route',
    text: ({ method, route }) => `${method} ${route === '' ? '(no route)' : route}`,
    isWord: true,
  },
  { title: 'Req/s', hint: 'Requests per second', text: ({ requestsPerSecond }) => rate(requestsPerSecond) },
  {
    title: 'Errors/s',
    hint: 'Answers with a status of 500 and above, per second',
    text: ({ errorsPerSecond }) => (errorsPerSecond === 0 ? UNKNOWN : rate(errorsPerSecond)),
    tone: ({ errorsPerSecond }) => (errorsPerSecond > 0 ? 'bad' : ''),
  },
  { title: 'p50', text: ({ p50Ms }) => known(p50Ms, latency) },
  { title: 'p99', text: ({ p99Ms }) => known(p99Ms, latency) },
];

/** Rows that are shown; those of routes beyond it are the least busy. */
const MAX_ROUTES = 40;

/**
 * @template T
 * @param {HTMLTableElement} table
 * @param {string} caption
 * @param {readonly Column<T>[]} columns
 * @param {(row: T) => string} keyOf
 */
function createTable(table, caption, columns, keyOf) {
  // As cards on a phone, a table would lose its meaning without roles.
  table.setAttribute('role', 'table');
  const heads = columns.map(({ title, hint, isWord }) =>
    element(
      'th',
      { scope: 'col', role: 'columnheader', title: hint, class: isWord === true ? 'word' : undefined },
      title,
    ),
  );
  const body = element('tbody', { role: 'rowgroup' });
  table.replaceChildren(
    element('caption', { class: 'unseen' }, caption),
    element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)),
    body,
  );
  const make = () =>
    element(
      'tr',
      { role: 'row' },
      ...columns.map(({ title, isWord }, index) =>
        index === 0
          ? element('th', { scope: 'row', role: 'rowheader', class: 'word', 'data-title': title })
          : element('td', { role: 'cell', class: isWord === true ? 'word' : undefined, 'data-title': title }),
      ),
    );
  return {
    body,
    /** @param {readonly T[]} rows */
    show(rows) {
      reconcile(body, rows.map(keyOf), make);
      rows.forEach((row, index) => {
        const cells = body.children[index]?.children;
        columns.forEach(({ text, tone }, column) => {
          const cell = cells?.[column];
          if (cell === undefined) return;
          const target = cell.querySelector('button') ?? cell;
          setText(target, text(row));
          if (tone !== undefined) setAttribute(cell, 'data-tone', tone(row));
        });
      });
    },
  };
}

/**
 * Each slot is a button that adds its line to the plots.
 * @param {HTMLTableElement} table
 * @param {(slot: number) => void} choose
 */
export function createWorkersTable(table, choose) {
  const { body, show } = createTable(
    table,
    'The workers of each slot',
    OF_WORKER,
    ({ slot, pid }) => `${slot} ${pid}`,
  );
  return {
    /** @param {readonly LiveWorker[]} workers @param {number | null} chosen */
    show(workers, chosen) {
      show(workers);
      workers.forEach(({ slot }, index) => {
        const row = body.children[index];
        const head = row?.firstElementChild;
        if (row === undefined || head === undefined || head === null) return;
        let button = head.querySelector('button');
        if (button === null) {
          button = element(
            'button',
            { type: 'button', class: 'quiet', title: 'Show this worker in the plots' },
            String(slot),
          );
          button.setAttribute('aria-label', `Show slot ${slot} in the plots`);
          button.addEventListener('click', () => choose(slot));
          head.replaceChildren(button);
        }
        setAttribute(button, 'aria-pressed', String(slot === chosen));
        setAttribute(row, 'data-chosen', String(slot === chosen));
      });
    },
  };
}

/** @param {HTMLTableElement} table */
export function createRoutesTable(table) {
  const { show } = createTable(
    table,
    'Requests and latency by route',
    OF_ROUTE,
    ({ method, route }) => `${method} ${route}`,
  );
  return {
    /** @param {readonly LiveRoute[]} routes */
    show(routes) {
      show(routes.slice(0, MAX_ROUTES));
      table.hidden = routes.length === 0;
    },
  };
}
