/** The service's state in one line. Pure. */

/** @typedef {import('../messages.js').Moment} Moment */
/** @typedef {'good' | 'busy' | 'bad' | 'unknown'} Tone */

/** What a state is called, and how it looks. @type {Readonly<Record<string, readonly [Tone, string]>>} */
const STATES = {
  ready: ['good', 'Ready'],
  starting: ['busy', 'Starting'],
  reloading: ['busy', 'Reloading'],
  stopping: ['busy', 'Stopping'],
  degraded: ['bad', 'Degraded'],
  hung: ['bad', 'A worker hangs'],
  'crash-looping': ['bad', 'Workers crash again and again'],
  down: ['bad', 'Down'],
};

/** @param {Moment} moment @returns {{ readonly tone: Tone, readonly name: string, readonly detail: string }} */
export function headlineOf(moment) {
  const [tone, name] = STATES[moment.state] ?? ['unknown', moment.state];
  const { served, wanted } = moment;
  const serving = `${served} of ${wanted} ${wanted === 1 ? 'worker serves' : 'workers serve'}`;
  const replaced = moment.state === 'reloading' ? replacedOf(moment) : null;
  return {
    tone,
    name,
    detail: replaced === null ? serving : `${replaced} of ${wanted} replaced, ${serving}`,
  };
}

/** How many of the newest generation serve; under PM2, workers know no generations. @param {Moment} moment */
function replacedOf({ workers }) {
  const generations = workers.flatMap(({ generation }) => generation ?? []);
  if (generations.length === 0) return null;
  const newest = Math.max(...generations);
  return workers.filter(({ state, generation }) => state === 'ready' && generation === newest).length;
}

/** @param {string} state of a worker @returns {Tone} */
export const toneOfWorker = state =>
  state === 'ready'
    ? 'good'
    : ['starting', 'draining', 'vacant', 'stopped'].includes(state)
      ? 'busy'
      : ['hung', 'backoff', 'errored'].includes(state)
        ? 'bad'
        : 'unknown';
