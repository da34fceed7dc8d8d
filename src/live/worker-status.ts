/** The status of a service without a supervisor that could be asked, from what its workers say of themselves. */
import type { ShownStatus, ShownWorker } from './shown-status.js';
import type { Asked } from '../observability/ask-workers.js';
import type { Snapshot } from '../observability/snapshot.js';
import { figuresOf, NO_FIGURES } from '../supervisor/report/figures.js';
import { durationText } from '../supervisor/report/wording.js';

/** An event loop that has been blocked for so long is hung, as under the native supervisor. */
const HUNG_AFTER_SECONDS = 5;

/** A worker's socket, and what came from it. */
export type AskedWorker = Pick<Asked, 'slot' | 'pid' | 'isGone' | 'snapshot'>;

export type WorkersStatus = Pick<ShownStatus, 'state' | 'wanted' | 'served' | 'why' | 'workers'>;

export function statusOfWorkers(asked: readonly AskedWorker[]): WorkersStatus {
  const slots = [...new Set(asked.map(({ slot }) => slot))].toSorted((one, other) => one - other);
  const workers = slots.flatMap(slot => slotRows(slot, asked));
  const states = slots.map(slot => bestState(workers.filter(worker => worker.slot === slot)));
  const served = states.filter(state => state === 'ready').length;
  const isHung = workers.some(({ state }) => state === 'hung');
  const state = served === 0 ? 'down' : isHung ? 'hung' : served < slots.length ? 'degraded' : 'ready';
  return { state, wanted: slots.length, served, why: workers.flatMap(whyText), workers };
}

const bestState = (rows: readonly ShownWorker[]): ShownWorker['state'] =>
  rows.find(({ state }) => state === 'ready')?.state ?? rows[0]?.state ?? 'vacant';

/** The workers of a slot, the newest first; one row if there is none. */
function slotRows(slot: number, asked: readonly AskedWorker[]): ShownWorker[] {
  const living = asked.filter(worker => worker.slot === slot && !worker.isGone);
  if (living.length === 0) return [{ ...EMPTY, slot, state: 'vacant' }];
  return living
    .map(({ pid, snapshot }): ShownWorker => {
      // The observer thread of a worker that was stopped by a signal stands still, too.
      if (snapshot === undefined) return { ...EMPTY, slot, pid, state: 'hung' };
      return { ...EMPTY, ...rowOf(snapshot) };
    })
    .toSorted((one, other) => (one.uptime ?? 0) - (other.uptime ?? 0));
}

function rowOf(snapshot: Snapshot): Partial<ShownWorker> & Pick<ShownWorker, 'slot' | 'state'> {
  const { slot, pid, phase, gauges, recent, service } = snapshot;
  const isHung = phase === 'serving' && gauges.blockedSeconds >= HUNG_AFTER_SECONDS;
  return {
    slot,
    pid,
    state: isHung ? 'hung' : STATES[phase],
    hungFor: isHung ? Math.round(gauges.blockedSeconds * 1_000) : null,
    uptime: Math.round(gauges.uptimeSeconds * 1_000),
    restarts: service.restarts ?? null,
    memory: gauges.rssBytes,
    cpu: Math.round(recent.cpuPercent * 10) / 10,
    ...figuresOf(snapshot),
  };
}

const STATES: Readonly<Record<Snapshot['phase'], ShownWorker['state']>> = {
  booting: 'starting',
  serving: 'ready',
  draining: 'draining',
  failed: 'draining',
  exiting: 'draining',
};

const EMPTY: Omit<ShownWorker, 'slot' | 'state'> = {
  pid: null,
  generation: null,
  hungFor: null,
  nextTryIn: null,
  uptime: null,
  restarts: null,
  lastExit: null,
  exits: [],
  memory: null,
  cpu: null,
  ...NO_FIGURES,
};

function whyText({ slot, state, hungFor }: ShownWorker): string[] {
  if (state === 'hung')
    return [
      hungFor === null
        ? `slot ${slot} does not answer`
        : `slot ${slot} has hung for ${durationText(hungFor)}`,
    ];
  return state === 'vacant' ? [`slot ${slot} has lost its worker; "pm2 logs" says why`] : [];
}
