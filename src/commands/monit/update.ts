/** How events change what `monit` knows and shows. Pure. */
import type { LogLine, Moment } from '../../live/messages.js';
import type { ActionOutcome } from '../../supervisor/action.js';
import { keyPressed } from './keys.js';
import { SPAN_MS } from './sparkline.js';
import {
  isProblem,
  newest,
  type Data,
  type Event,
  type Notice,
  type Order,
  type State,
  type Step,
} from './state.js';

/** So many lines are kept, and of warnings and errors as many again: a busy log does not push them out. */
const MAX_LINES = 500;

/** How long a good notice stays, in ms. */
const NOTICE_MS = 5_000;

export function update(state: State, event: Event): Step {
  switch (event.type) {
    case 'moment':
      return { state: withMoment(state, event.moment) };
    case 'lost':
      return { state: withLoss(state, event.at, event.reason) };
    case 'log':
      return { state: { ...state, data: withLines(state.data, event.lines) } };
    case 'resize':
      return { state: { ...state, size: event.size } };
    case 'key':
      return keyPressed(state, event.key);
    case 'outcome':
      return { state: withOutcome(state, event.id, event.outcome) };
  }
}

function withMoment(state: State, moment: Moment): State {
  const oldest = moment.at - SPAN_MS;
  const before = state.data.moments.filter(({ at }) => at >= oldest && at < moment.at);
  const data: Data = { ...state.data, moments: [...before, moment], lost: undefined };
  return { ...state, data, notice: lasting(state.notice, moment.at) };
}

function withLoss(state: State, now: number, reason: string): State {
  const since = state.data.lost?.since ?? now;
  return {
    ...state,
    data: { ...state.data, lost: { since, now, reason } },
    notice: lasting(state.notice, now),
  };
}

const lasting = (notice: Notice | undefined, now: number): Notice | undefined =>
  notice !== undefined && notice.until > now ? notice : undefined;

const withLines = (data: Data, added: readonly LogLine[]): Data => ({
  ...data,
  lines: [...data.lines, ...added].slice(-MAX_LINES),
  problems: [...data.problems, ...added.filter(isProblem)].slice(-MAX_LINES),
});

/** A scaling that another one has overtaken is not reported: the number is that one's. */
function withOutcome(state: State, id: number, outcome: ActionOutcome): State {
  const answered = state.pending.find(order => order.id === id);
  if (answered === undefined) return state;
  const pending = state.pending.filter(order => order !== answered);
  const isOvertaken =
    answered.order.action === 'scale' && pending.some(({ order }) => order.action === 'scale');
  if (isOvertaken) return { ...state, pending };
  return { ...state, pending, notice: noticeOf(answered.order, outcome, newest(state.data).at) };
}

function noticeOf(order: Order, { ok, reason, advice, warnings = [] }: ActionOutcome, now: number): Notice {
  if (!ok) {
    const parts = [`${order.action} failed: ${reason ?? 'no reason was given'}`, advice ?? ''];
    return {
      tone: 'bad',
      text: `✗ ${parts.filter(part => part !== '').join('. ')}`,
      until: Number.POSITIVE_INFINITY,
    };
  }
  const text = [`✓ ${doneText(order)}`, ...warnings.map(warning => `warning: ${warning}`)].join('. ');
  return { tone: warnings.length > 0 ? 'passing' : 'good', text, until: now + NOTICE_MS };
}

function doneText(order: Order): string {
  if (order.action === 'scale') return `Running ${order.instances} worker${order.instances === 1 ? '' : 's'}`;
  return order.action === 'reload' ? 'Reloaded' : 'Stopped';
}
