/** Everything the page knows; each message makes a new state of bounded size from the old one. Pure. */
import { mergedEvents } from './events.js';
import { appended } from './log.js';
import { RECENT } from './routes.js';
import { merged, sampleOf } from './samples.js';

/** @typedef {import('../messages.js').Moment} Moment */
/** @typedef {import('../messages.js').Lifecycle} Lifecycle */
/** @typedef {import('../messages.js').LogLine} LogLine */
/** @typedef {import('../messages.js').LiveHistory} LiveHistory */

/**
 * @typedef {object} State
 * @property {Moment | null} moment the newest
 * @property {readonly import('./samples.js').Sample[]} samples
 * @property {readonly (readonly import('../messages.js').LiveRoute[])[]} routes of the last moments
 * @property {readonly Lifecycle[]} events
 * @property {readonly LogLine[]} log
 */

/** @type {State} */
export const EMPTY = { moment: null, samples: [], routes: [], events: [], log: [] };

/** Another server sends it again after a reconnect. @param {State} state @param {LiveHistory} history @returns {State} */
export function withHistory(state, { moments, lifecycle }) {
  const newest = moments.at(-1) ?? null;
  const isNews = newest !== null && newest.at >= (state.moment?.at ?? 0);
  return {
    ...state,
    moment: isNews ? newest : state.moment,
    samples: merged(state.samples, moments.map(sampleOf)),
    events: mergedEvents(state.events, lifecycle),
  };
}

/** @param {State} state @param {Moment} moment @returns {State} */
export function withMoment(state, moment) {
  // A clock that was put back must not leave samples of the future.
  const isPutBack = (state.samples.at(-1)?.at ?? 0) > moment.at;
  const samples = isPutBack ? state.samples.filter(({ at }) => at <= moment.at) : state.samples;
  return {
    ...state,
    moment,
    samples: merged(samples, [sampleOf(moment)]),
    routes: [...state.routes, moment.routes].slice(-RECENT),
  };
}

/** @param {State} state @param {Lifecycle} event @returns {State} */
export const withEvent = (state, event) => ({ ...state, events: mergedEvents(state.events, [event]) });

/** @param {State} state @param {readonly LogLine[]} lines @returns {State} */
export const withLines = (state, lines) => ({ ...state, log: appended(state.log, lines) });
