/** Runs the core: one queue of events, one timer, the effects in their order, and the log. */
import type { Clock } from './clock.js';
import type { Effect, Event, Pool, WorkerId } from './core/model.js';
import { step } from './core/step.js';
import { nextWake } from './core/wake.js';
import type { Events } from './report/events.js';
import { narrateEffect, narrateNotice, type Line } from './report/narrate.js';

export interface Engine {
  readonly pool: Pool;
  send(event: Event): void;
  /** Calls back after every change of the pool, until the returned function is called. */
  onChange(call: (pool: Pool) => void): () => void;
}

export interface EngineParts {
  /** The pool in which nothing has happened yet. */
  readonly pool: Pool;
  readonly clock: Clock;
  log(line: Line): void;
  pidOf(worker: WorkerId): number;
  /** @param pool as the event has left it */
  perform(effect: Effect, pool: Pool): void;
  /** Keeps what happens for those who ask. */
  readonly events: Pick<Events, 'notice' | 'effect'>;
  /** An event has been handled, its effects included. */
  handled(event: Event, pool: Pool): void;
  /** Handling an event has thrown: the state is unknown, and no further event is handled. */
  failed(error: unknown): void;
}

export function createEngine(parts: EngineParts): Engine {
  const { clock, log, pidOf, perform, events } = parts;
  const callbacks = new Set<(pool: Pool) => void>();
  const queue: Event[] = [];
  let { pool } = parts;
  let isBusy = false;

  /** Effects may cause events at once; they wait their turn, so that each sees the pool of the one before. */
  function send(event: Event): void {
    queue.push(event);
    if (isBusy) return;
    isBusy = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) handle(next);
    } catch (error) {
      return parts.failed(error);
    }
    isBusy = false;
    clock.wakeAt(nextWake(pool), () => send({ type: 'wake' }));
    for (const call of callbacks) call(pool);
  }

  function handle(event: Event): void {
    const outcome = step(pool, event, clock.now());
    pool = outcome.pool;
    for (const notice of outcome.notices) {
      log(narrateNotice(notice, pidOf));
      events.notice(notice, pool);
    }
    for (const effect of outcome.effects) {
      perform(effect, pool);
      events.effect(effect, pool);
      const line = narrateEffect(effect, pool, pidOf);
      if (line !== undefined) log(line);
    }
    parts.handled(event, pool);
  }

  return {
    get pool() {
      return pool;
    },
    send,
    onChange(call) {
      callbacks.add(call);
      return () => callbacks.delete(call);
    },
  };
}
