/** The page: messages become a state, and the state is shown. */
import { createActions } from './actions.js';
import { connect } from './connect.js';
import { byId, element, reconcile, setText } from './dom.js';
import { clock } from './format.js';
import { headlineOf } from './headline.js';
import { createEvents, createLogList, createTimeline } from './lists.js';
import { createPlots } from './plots.js';
import { routesOf } from './routes.js';
import { within } from './samples.js';
import { download, savedPage } from './saved.js';
import { EMPTY, withEvent, withHistory, withLines, withMoment } from './store.js';
import { createRoutesTable, createWorkersTable } from './tables.js';

/** @typedef {import('./store.js').State} State */
/** @typedef {import('../messages.js').LogLine} LogLine */

/** Log lines are shown together, so often, in ms. */
const LINES_MS = 200;

/** So many lines wait no longer, as in a tab that is not seen. */
const LINES_AT_ONCE = 500;

/** @type {State} */
let state = EMPTY;
/** The state that a paused page shows. @type {State | null} */
let paused = null;
/** @type {number | null} */
let slot = null;
let minutes = 10;
let isAsked = false;
/** @type {LogLine[]} */
let lines = [];
let linesTimer = 0;

const connection = byId('connection', HTMLElement);
const pause = byId('pause', HTMLButtonElement);
const level = byId('log-level', HTMLSelectElement);
const search = byId('log-search', HTMLInputElement);
const why = byId('why', HTMLUListElement);

const plots = createPlots(byId('plots', HTMLElement));
const timeline = createTimeline(byId('timeline', HTMLElement), byId('timeline-empty', HTMLElement));
const events = createEvents(byId('events', HTMLOListElement), byId('events-empty', HTMLElement));
const log = createLogList({
  list: byId('log', HTMLOListElement),
  empty: byId('log-empty', HTMLElement),
  note: byId('log-note', HTMLElement),
});
const workers = createWorkersTable(byId('workers', HTMLTableElement), choose);
const routes = createRoutesTable(byId('routes', HTMLTableElement));
const actions = createActions();

/** Once for all that happens before the next frame; not at all while the page is hidden. */
function ask() {
  if (isAsked || document.hidden) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    show(paused ?? state);
  });
}

/** @param {State} shown */
function show(shown) {
  const { moment, samples } = shown;
  log.show(shown.log, { level: /** @type {LogLine['level']} */ (level.value), search: search.value });
  events.show(shown.events);
  if (moment === null) return;
  showHeadline(moment);
  const to = moment.at;
  const from = to - minutes * 60_000;
  const span = `the last ${minutes} minutes`;
  plots.show({ samples: within(samples, from, to), events: shown.events, from, to, slot, span });
  timeline.show(shown.events, from, to);
  workers.show(moment.workers, slot);
  const recent = routesOf(shown.routes);
  routes.show(recent);
  byId('routes-empty', HTMLElement).hidden = recent.length > 0;
  actions.show(moment);
  byId('save', HTMLButtonElement).disabled = false;
}

const SUPERVISORS = { native: 'native supervisor', pm2: 'PM2', none: 'no supervisor' };

/** @param {import('../messages.js').Moment} moment */
function showHeadline(moment) {
  const { tone, name, detail } = headlineOf(moment);
  setText(byId('app', HTMLElement), moment.app);
  const supervisor = byId('supervisor', HTMLElement);
  supervisor.hidden = false;
  setText(supervisor, SUPERVISORS[moment.supervisedBy]);
  byId('state', HTMLElement).dataset['tone'] = tone;
  setText(byId('state-name', HTMLElement), name);
  setText(byId('state-detail', HTMLElement), detail);
  why.hidden = moment.why.length === 0;
  reconcile(why, moment.why.map(shapeOf), () => element('li'));
  moment.why.forEach((text, index) => {
    const item = why.children[index];
    if (item !== undefined) setText(item, text);
  });
  document.title = `${tone === 'good' ? '' : `${name}: `}${moment.app}`;
}

/** A sentence whose numbers change stays the same item. @param {string} text @param {number} index */
const shapeOf = (text, index) => `${index} ${text.replaceAll(/\d+/g, '')}`;

/** @param {number | null} next the same slot again shows none */
function choose(next) {
  slot = next === slot ? null : next;
  byId('chosen', HTMLElement).hidden = slot === null;
  setText(byId('chosen-text', HTMLElement), `slot ${slot}`);
  ask();
}

/** @param {'good' | 'busy' | 'bad'} tone @param {string} text */
function showConnection(tone, text) {
  connection.dataset['tone'] = tone;
  setText(connection, text);
}

function takeLines() {
  clearTimeout(linesTimer);
  linesTimer = 0;
  state = withLines(state, lines);
  lines = [];
  ask();
}

connect('live', {
  connected: () => showConnection('good', 'live'),
  lost: () => showConnection('bad', 'reconnecting …'),
  message(name, data) {
    if (name === 'log') {
      lines.push(/** @type {LogLine} */ (data));
      if (lines.length >= LINES_AT_ONCE) takeLines();
      else if (linesTimer === 0) linesTimer = setTimeout(takeLines, LINES_MS);
      return;
    }
    if (name === 'history')
      state = withHistory(state, /** @type {import('../messages.js').LiveHistory} */ (data));
    if (name === 'moment') state = withMoment(state, /** @type {import('../messages.js').Moment} */ (data));
    if (name === 'lifecycle')
      state = withEvent(state, /** @type {import('../messages.js').Lifecycle} */ (data));
    ask();
  },
});

byId('zoom', HTMLFieldSetElement).addEventListener('change', event => {
  minutes = Number(/** @type {HTMLInputElement} */ (event.target).value);
  setText(byId('span-words', HTMLElement), minutes === 60 ? 'hour' : `${minutes} minutes`);
  ask();
});
byId('unchoose', HTMLButtonElement).addEventListener('click', () => choose(null));
pause.addEventListener('click', () => {
  paused = paused === null ? state : null;
  const isPaused = paused !== null;
  pause.setAttribute('aria-pressed', String(isPaused));
  setText(pause, isPaused ? `Paused at ${clock(paused?.moment?.at ?? Date.now())}: go on` : 'Pause');
  document.body.classList.toggle('paused', isPaused);
  ask();
});
level.addEventListener('change', ask);
search.addEventListener('input', ask);
document.addEventListener('visibilitychange', ask);
new ResizeObserver(ask).observe(byId('timeline', HTMLElement));

byId('save', HTMLButtonElement).addEventListener('click', async () => {
  const shown = paused ?? state;
  const style = await (await fetch('live/page.css')).text();
  const name = `${shown.moment?.app ?? 'service'}-${new Date(shown.moment?.at ?? Date.now()).toISOString().slice(0, 19).replaceAll(':', '')}.html`;
  download(name, savedPage(shown, style), 'text/html');
});
