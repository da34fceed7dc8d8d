/**
 * What the supervisor says about itself: every log line, from what happened and what is done about it. The texts
 * that speak of "Master" and "Worker N" (N = pid) are a contract with those who read the logs.
 */
import type { Effect, Event, Exit, Millis, Pool, WorkerId } from '../core/model.js';
import { endSentence, exitSentence } from '../core/sentences.js';

export type Level = 'info' | 'warn' | 'error' | 'fatal';

export interface Line {
  readonly level: Level;
  readonly msg: string;
}

const info = (msg: string): Line => ({ level: 'info', msg });
const warn = (msg: string): Line => ({ level: 'warn', msg });
const error = (msg: string): Line => ({ level: 'error', msg });

/** The lines that an event deserves by itself, before anything is done about it. */
export function narrateEvent(
  event: Event,
  before: Pool,
  pool: Pool,
  now: Millis,
  pid: (worker: WorkerId) => number,
): Line[] {
  return [...happened(event, before, pool, now, pid), ...startsTimedOut(event, before, pool, pid)];
}

function happened(
  event: Event,
  before: Pool,
  pool: Pool,
  now: Millis,
  pid: (worker: WorkerId) => number,
): Line[] {
  switch (event.type) {
    case 'worker.exited':
      return isOrdered(before, event.worker)
        ? [info(`Worker ${pid(event.worker)} disconnected`)]
        : [
            warn(`Worker ${pid(event.worker)} ${endSentence(event)}`),
            ...consequence(before, pool, event.worker, now),
          ];
    case 'worker.leaving':
      return pool === before
        ? []
        : [
            warn(`Worker ${pid(event.worker)} drains by itself`),
            ...consequence(before, pool, event.worker, now),
          ];
    case 'fork.failed':
      return [
        error(`Forking a worker failed: ${event.message}`),
        ...consequence(before, pool, event.worker, now),
      ];
    case 'worker.grown':
      return pool === before
        ? []
        : [warn(`Worker ${pid(event.worker)} exceeds max_memory_restart, replacing it`)];
    case 'reload.asked':
      return pool.reloadAgain && !before.reloadAgain
        ? [info('Reload under way, another one follows it')]
        : [];
    case 'reload.read':
      return pool.reload !== undefined ? [info(`Reloading ${pool.slots.length} workers`)] : [];
    case 'scale':
      return pool.verdict === undefined
        ? [info(`Scaling from ${before.wanted} to ${event.instances} workers`)]
        : [];
    default:
      return [];
  }
}

const isOrdered = (pool: Pool, worker: WorkerId): boolean =>
  pool.departing.some(({ id, ordered }) => id === worker && ordered);

/** What becomes of the slot whose worker ended unasked. */
function consequence(before: Pool, after: Pool, worker: WorkerId, now: Millis): Line[] {
  const id = before.slots.findIndex(slot => 'worker' in slot && slot.worker.id === worker);
  const slot = after.slots[id];
  switch (slot?.at) {
    case 'errored':
      return [error(`Slot ${id} errored after ${slot.history.unstable} unstable exits in a row`)];
    case 'stopped':
      return [warn(`Slot ${id} stopped: ${exitSentence(slot.exit)}`)];
    case 'backoff':
      return [warn(`Slot ${id} gets its next worker in ${Math.ceil(slot.until - now)} ms`)];
    default:
      return [];
  }
}

/** Workers that were not ready in time: whatever happens next finds them, mostly a `wake`. */
function startsTimedOut(event: Event, before: Pool, after: Pool, pid: (worker: WorkerId) => number): Line[] {
  return after.slots.flatMap((slot, id) => {
    const { lastExit } = slot.history;
    const isNews = lastExit !== undefined && lastExit !== before.slots[id]?.history.lastExit;
    const isTold = 'worker' in event && event.worker === lastExit?.worker;
    return isNews && !isTold ? [error(`Worker ${pid(lastExit.worker)} ${exitSentence(lastExit)}`)] : [];
  });
}

/** The lines that what is done about it deserves. */
export function narrateEffect(effect: Effect, { wanted }: Pool, pid: (worker: WorkerId) => number): Line[] {
  switch (effect.type) {
    case 'fork':
      return [info(`Forking worker ${effect.slot + 1}/${wanted}`)];
    case 'order':
      return [info(`Disconnecting worker ${pid(effect.worker)}`)];
    case 'kill':
      return [warn(`Killing worker ${pid(effect.worker)}`)];
    case 'reload.ended':
      return [
        effect.aborted === undefined ? info('Reload finished') : error(`Reload aborted: ${effect.aborted}`),
      ];
    case 'recycle.failed':
      return [error(`The old worker of slot ${effect.slot} stays: ${effect.reason}`)];
    case 'exit':
      return [farewell(effect.verdict.code, effect.verdict.exit)];
    case 'lend':
    case 'return':
    case 'reread':
      return [];
  }
}

/** The last line: whatever ends the service, it carries the last error of the worker. */
function farewell(code: number, exit: Exit | undefined): Line {
  if (code === 0) return info('All workers disconnected, master process exiting');
  const announced = code === 5 || code === 6 ? exit?.failure?.message : undefined;
  const reason = exit === undefined ? '' : `: ${announced ?? exitSentence(exit)}`;
  return { level: 'fatal', msg: `No worker left, master process exiting with code ${code}${reason}` };
}
