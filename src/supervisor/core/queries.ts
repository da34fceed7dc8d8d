/** What the shell asks about a pool. */
import type { Exit, Generation, Millis, Pool, Slot, SlotId, WorkerId } from './model.js';
import { policyOf, workersOf } from './pool.js';

/** Every slot has its worker, and no other worker starts. */
export const isSettled = ({ reload, slots }: Pool): boolean =>
  reload === undefined && slots.length > 0 && slots.every(({ at }) => at === 'ready');

/** The workers that hold a slot, successors included. */
export const workersInSlots = ({ slots }: Pool): readonly WorkerId[] =>
  slots.flatMap(workersOf).map(({ id }) => id);

/** The workers whose exits some slot remembers. */
export const rememberedWorkers = ({ slots }: Pool): ReadonlySet<WorkerId> =>
  new Set(slots.flatMap(({ history }) => history.exits.map(({ worker }) => worker)));

/**
 * Whether workers of this generation may still be forked.
 * @param lastRead the newest generation that was read, whose reload may not have begun
 */
export const isGenerationNeeded = (pool: Pool, generation: Generation, lastRead: Generation): boolean =>
  generation === pool.generation || generation === lastRead;

export type ScaleFailure =
  | { readonly type: 'service-stops' }
  | { readonly type: 'superseded'; readonly wanted: number }
  | { readonly type: 'slot-not-ready'; readonly slot: SlotId; readonly state: Slot['at'] };

/** How far a scaling to `wanted` workers is: under way, done, or failed. */
export function scaleProgress(pool: Pool, wanted: number): 'pending' | 'done' | ScaleFailure {
  const { verdict, slots, reload, draining } = pool;
  if (verdict !== undefined) return { type: 'service-stops' };
  if (pool.wanted !== wanted) return { type: 'superseded', wanted: pool.wanted };
  const isMoving = slots.some(({ at }) => at === 'starting' || at === 'vacant' || at === 'replacing');
  if (isMoving || reload !== undefined || draining.length > 0) return 'pending';
  for (const [slot, { at }] of slots.entries())
    if (at !== 'ready') return { type: 'slot-not-ready', slot, state: at };
  return 'done';
}

/** The first exit of a worker keeps a service from replacing another; there is none where it has been ordered to stop. */
export interface StartLost {
  readonly exit: Exit | undefined;
}

/**
 * How far a service is that is to replace another: `pending`, lost, or `proved` once all workers have been ready for so
 * long that they are stable (`min_uptime`).
 */
export function startProgress(pool: Pool, now: Millis): 'pending' | 'proved' | StartLost {
  if (pool.verdict !== undefined) return { exit: pool.verdict.exit };
  const [exit] = pool.slots.flatMap(({ history }) => history.exits);
  if (exit !== undefined) return { exit };
  return isSettled(pool) && stableAt(pool) <= now ? 'proved' : 'pending';
}

/** When the youngest worker is stable; `Infinity` while a slot has none that serves. */
export const stableAt = (pool: Pool): Millis =>
  Math.max(
    ...pool.slots.map(slot =>
      slot.at === 'ready' ? slot.worker.since + policyOf(pool, slot.worker.generation).minUptimeMs : Infinity,
    ),
  );
