/** What happens to a service, as the live views show it: the core's notices and effects as events. */
import type { Lifecycle } from '../../live/messages.js';
import type { Effect, Notice, Pool, Serving, Slot, SlotId, Starting, WorkerId } from '../core/model.js';
import { workersOf } from '../core/pool.js';
import { narrateEffect, narrateNotice } from './narrate.js';
import { exitText, oneLine } from './wording.js';

/** An event without its time. */
export type Happening = Omit<Lifecycle, 'at'>;

/** What the pool does not say of a worker, or not any more. */
export interface Known {
  pid(worker: WorkerId): number;
  slot(worker: WorkerId): SlotId | null;
}

const KINDS: Readonly<Partial<Record<Notice['type'], Lifecycle['kind']>>> = {
  'worker.exited': 'crash',
  'worker.draining': 'crash',
  'worker.start-timeout': 'crash',
  'fork.failed': 'crash',
  'slot.errored': 'crash',
  'slot.stopped': 'stop',
  'hang.begun': 'hang',
  'hang.ended': 'hang',
  'memory-restart.begun': 'memory',
  'memory-restart.failed': 'memory',
  'reload.begun': 'reload',
  scaling: 'scale',
};

/** @returns nothing for what adds nothing to other events */
export function noticeHappening(notice: Notice, pool: Pool, known: Known): Happening | undefined {
  const kind = KINDS[notice.type];
  if (kind === undefined) return undefined;
  const worker = 'worker' in notice ? notice.worker : undefined;
  const slot = 'slot' in notice ? notice.slot : worker === undefined ? null : known.slot(worker);
  const isOrdered = notice.type === 'worker.exited' && notice.ordered;
  return {
    kind: isOrdered ? 'stop' : kind,
    slot,
    pid: worker === undefined ? null : known.pid(worker),
    text: oneLine(
      notice.type === 'worker.exited' && !isOrdered
        ? crashText(notice, pool, known)
        : narrateNotice(notice, known.pid).msg,
    ),
    stack: null,
  };
}

/** With the reason, which the slot remembers. */
function crashText(notice: Extract<Notice, { type: 'worker.exited' }>, pool: Pool, known: Known): string {
  const exits = pool.slots.flatMap(({ history }) => history.exits);
  const exit = exits.find(({ worker }) => worker === notice.worker);
  return `Worker ${known.pid(notice.worker)} ${exitText({ cause: undefined, ...exit, ...notice })}`;
}

/** @param effect one that has been performed */
export function effectHappening(effect: Effect, pool: Pool, known: Known): Happening | undefined {
  if (effect.type === 'fork') {
    // Where the fork has failed, a notice says so.
    if (known.pid(effect.worker) === 0) return undefined;
    const text = `Worker ${known.pid(effect.worker)} starts in slot ${effect.slot}`;
    return { kind: 'start', slot: effect.slot, pid: known.pid(effect.worker), text, stack: null };
  }
  const kind = effect.type === 'reload.ended' ? 'reload' : effect.type === 'exit' ? 'stop' : undefined;
  const line = narrateEffect(effect, pool, known.pid);
  if (kind === undefined || line === undefined) return undefined;
  return serviceHappening(kind, line.msg);
}

/** Workers that serve now and did not before. */
export const readyHappenings = (pool: Pool, before: ReadonlySet<WorkerId>, known: Known): Happening[] =>
  pool.slots.flatMap((slot, index) =>
    servingIn(slot)
      .filter(({ id }) => !before.has(id))
      .map(({ id }) => ({
        kind: 'ready',
        slot: index,
        pid: known.pid(id),
        text: `Worker ${known.pid(id)} serves`,
        stack: null,
      })),
  );

export const servingWorkers = ({ slots }: Pool): ReadonlySet<WorkerId> =>
  new Set(slots.flatMap(servingIn).map(({ id }) => id));

const servingIn = (slot: Slot): readonly (Starting | Serving)[] =>
  workersOf(slot).filter(({ at }) => at === 'serving');

/** Of the service as a whole. */
export const serviceHappening = (kind: 'reload' | 'stop', text: string): Happening => ({
  kind,
  slot: null,
  pid: null,
  text: oneLine(text),
  stack: null,
});
