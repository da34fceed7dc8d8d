/** The last events of a service, for `GET /events` of the control socket. */
import type { Lifecycle } from '../../live/messages.js';
import type { Effect, Event, Notice, Pool, SlotId, WorkerId } from '../core/model.js';
import type { ReloadOutcome } from './status.js';
import {
  effectHappening,
  noticeHappening,
  readyHappenings,
  servingWorkers,
  serviceHappening,
  type Happening,
  type Known,
} from './lifecycle.js';
import { refusedReloadText } from './wording.js';

/** So many events are kept for those who ask later. */
const MAX_EVENTS = 200;

/** The answer to `GET /events?after=N`. */
export interface EventList {
  /** The number of the last event: N of the next question. */
  readonly last: number;
  readonly events: readonly Lifecycle[];
}

export interface Events {
  notice(notice: Notice, pool: Pool): void;
  /** @param effect one that has been performed */
  effect(effect: Effect, pool: Pool): void;
  handled(event: Event, pool: Pool, lastReload: ReloadOutcome | null): void;
  /** @param after the number of the last event that is known already, 0 for none */
  since(after: number): EventList;
}

export function createEvents(pid: (worker: WorkerId) => number): Events {
  let events: readonly Lifecycle[] = [];
  let last = 0;
  let serving: ReadonlySet<WorkerId> = new Set();
  /** Of the processes that run: a slot keeps nothing of a worker that leaves in order. */
  const slots = new Map<WorkerId, SlotId>();
  const known: Known = { pid, slot: worker => slots.get(worker) ?? null };

  function add(happening: Happening | undefined): void {
    if (happening === undefined) return;
    events = [...events, { at: Date.now(), ...happening }].slice(-MAX_EVENTS);
    last++;
  }

  return {
    notice(notice, pool) {
      add(noticeHappening(notice, pool, known));
      if (notice.type === 'worker.exited') slots.delete(notice.worker);
    },
    effect(effect, pool) {
      if (effect.type === 'fork' && pid(effect.worker) !== 0) slots.set(effect.worker, effect.slot);
      add(effectHappening(effect, pool, known));
    },
    handled(event, pool, lastReload) {
      if (event.type === 'stop') add(serviceHappening('stop', 'The service stops'));
      if (event.type === 'reload.refused')
        add(serviceHappening('reload', refusedReloadText(lastReload?.reason ?? '')));
      for (const happening of readyHappenings(pool, serving, known)) add(happening);
      serving = servingWorkers(pool);
    },
    since(after) {
      const fresh = Math.min(Math.max(0, last - after), events.length);
      return { last, events: fresh === 0 ? [] : events.slice(-fresh) };
    },
  };
}
