/** What each key does. Pure. */
import { MAX_WORKERS } from '../../protocol/limits.js';
import { rowsOfWorkers } from './layout.js';
import { newest, shown, SORTS, type Notice, type Order, type State, type Step } from './state.js';
import { pm2Command } from '../../live/pm2-command.js';

/** As the help lists them. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['r', 'reload: replace the workers one by one, losing nothing'],
  ['+ -', 'one worker more, one worker fewer'],
  ['s', 'stop the service, after a question'],
  ['o', `sort by ${SORTS.join(', ')}`],
  ['e', 'errors and warnings first, or the log as it comes'],
  ['p', 'pause the view; the service goes on'],
  ['↑ ↓ PgUp PgDn', 'scroll the workers; Home and End'],
  ['q Ctrl-C', 'leave this view; the service goes on'],
];

/** Ctrl-D is also what comes instead of keys once the terminal of `script` is closed. */
const LEAVING: readonly string[] = ['q', 'ctrl-c', 'ctrl-d'];

/** A key by its character, or by its name where it has none: `up`, `pagedown`, `ctrl-c`. */
export function keyPressed(before: State, key: string): Step {
  const state = { ...before, notice: undefined, isAsking: false };
  if (LEAVING.includes(key)) return { state, effect: { do: 'quit' } };
  if (key === 'ctrl-z') return { state, effect: { do: 'suspend' } };
  if (before.isAsking) return key === 'y' ? order(state, { action: 'stop' }) : { state };
  if (before.isHelp) return { state: { ...state, isHelp: false } };
  return actionKey(state, key) ?? { state: viewKey(state, key) };
}

function actionKey(state: State, key: string): Step | undefined {
  switch (key) {
    case 'r':
      return order(state, { action: 'reload' });
    case '+':
    case '=':
      return scale(state, 1);
    case '-':
      return scale(state, -1);
    case 's':
      return underPm2(state, 'stop') ?? { state: { ...state, isAsking: true } };
    default:
      return undefined;
  }
}

function viewKey(state: State, key: string): State {
  switch (key) {
    case 'o':
      // The highest is what one sorts for.
      return { ...state, scroll: 0, sort: SORTS[(SORTS.indexOf(state.sort) + 1) % SORTS.length] ?? 'slot' };
    case 'e':
      return { ...state, isErrorsFirst: !state.isErrorsFirst };
    case 'p':
      return { ...state, frozen: state.frozen === undefined ? state.data : undefined };
    case '?':
    case 'h':
      return { ...state, isHelp: true };
    default:
      return scrolled(state, key);
  }
}

function scrolled(state: State, key: string): State {
  const page = rowsOfWorkers(state);
  const last = Math.max(0, newest(shown(state)).workers.length - page);
  const to: Readonly<Record<string, number>> = {
    up: state.scroll - 1,
    down: state.scroll + 1,
    pageup: state.scroll - page,
    pagedown: state.scroll + page,
    home: 0,
    end: last,
  };
  return { ...state, scroll: Math.min(last, Math.max(0, to[key] ?? state.scroll)) };
}

/** From the number that the last such key has asked for: two presses are two workers. */
function scale(state: State, by: 1 | -1): Step {
  const asked = state.pending.flatMap(({ order: given }) =>
    given.action === 'scale' ? [given.instances] : [],
  );
  const wanted = asked.at(-1) ?? newest(state.data).wanted;
  const instances = wanted + by;
  if (instances < 1)
    return { state: { ...state, notice: bad('One worker is the least; s stops the service') } };
  if (instances > MAX_WORKERS)
    return { state: { ...state, notice: bad(`${MAX_WORKERS} workers are the most`) } };
  return order(state, { action: 'scale', instances });
}

function order(state: State, given: Order): Step {
  const elsewhere = underPm2(state, given.action, 'instances' in given ? given.instances : undefined);
  if (elsewhere !== undefined) return elsewhere;
  const one = { id: state.orders + 1, order: given };
  return {
    state: { ...state, orders: one.id, pending: [...state.pending, one] },
    effect: { do: 'order', ...one },
  };
}

/** PM2 is given orders by its own command. */
function underPm2(state: State, action: string, instances?: number): Step | undefined {
  const { supervisedBy, app } = newest(state.data);
  if (supervisedBy === 'native') return undefined;
  const command = pm2Command(action, app, instances);
  const text = `PM2 runs this service; give the order to PM2: ${command}`;
  return { state: { ...state, notice: { tone: 'passing', text, until: Number.POSITIVE_INFINITY } } };
}

const bad = (text: string): Notice => ({ tone: 'bad', text, until: Number.POSITIVE_INFINITY });
