/**
 * The supervisor's clock: monotonic, and it stands still while the supervisor itself does. A machine that was
 * suspended, or a supervisor that was stopped or starved, must not find that all its workers are overdue: they
 * had no chance to arrive.
 */
import type { Millis } from './core/model.js';

/** How long a timer may be late before the delay counts as time in which the supervisor did not exist. */
const TOLERANCE_MS = 500;

/** While something is due, the clock looks at itself this often; with nothing due it never ticks. */
const TICK_MS = 1_000;

export interface Clock {
  now(): Millis;
  /** Calls back once at `moment`, in place of any earlier wish; `undefined` = never. */
  wakeAt(moment: Millis | undefined, call: () => void): void;
}

export function createClock(real: () => Millis = () => performance.now()): Clock {
  let lost = 0;
  /** When the timer should fire. A reading long after that follows a sleep. */
  let expected: Millis = Infinity;
  let timer: NodeJS.Timeout | undefined;

  function now(): Millis {
    const late = real() - lost - expected;
    if (late > TOLERANCE_MS) lost += late;
    return real() - lost;
  }

  function wakeAt(moment: Millis | undefined, call: () => void): void {
    clearTimeout(timer);
    const asked = now();
    expected = moment === undefined ? Infinity : Math.max(asked, Math.min(asked + TICK_MS, moment));
    if (moment === undefined) return;
    timer = setTimeout(
      () => {
        if (now() >= moment) call();
        else wakeAt(moment, call);
      },
      Math.max(0, Math.ceil(expected - asked)),
    );
  }

  return { now, wakeAt };
}
