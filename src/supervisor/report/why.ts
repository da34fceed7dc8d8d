/** Why a service is not in order, in sentences: one for each slot that is not, or was not a moment ago. */
import { isInOrder } from '../core/health.js';
import type { Pool, Slot, SlotId } from '../core/model.js';
import type { WorkerStatus } from './status.js';
import { countText, durationText, lastExitText } from './wording.js';

/**
 * `slot 0 restarted 6 times in the last minute; last exit: 4711 exited (code 1): boom (3 s ago, after 120 ms)`. What is
 * so now comes first: a narrow terminal cuts the end.
 * @param rows of this slot, without draining workers
 */
export function whyText(
  pool: Pool,
  slot: Slot,
  id: SlotId,
  rows: readonly WorkerStatus[],
): string | undefined {
  const { restartedAt } = slot.history;
  const hung = rows.flatMap(({ hungFor }) => hungFor ?? []);
  const [exit] = rows.flatMap(({ exits }) => exits);
  const facts = [
    ...hung.map(ms => `has hung for ${durationText(ms)}`),
    ...(isInOrder(pool, slot) || hung.length > 0
      ? []
      : [`is ${slot.at === 'backoff' ? 'in backoff' : slot.at}`]),
    ...rows.flatMap(({ nextTryIn }) =>
      nextTryIn === null ? [] : [`next try in ${durationText(nextTryIn)}`],
    ),
    ...(restartedAt.length > 0
      ? [`restarted ${countText(restartedAt.length, 'time')} in the last minute`]
      : []),
  ];
  if (facts.length === 0 || (exit === undefined && hung.length === 0)) return undefined;
  const lastExit = exit === undefined ? '' : `; last exit: ${lastExitText(exit, Date.now())}`;
  return `slot ${id} ${facts.join(', ')}${lastExit}`;
}
