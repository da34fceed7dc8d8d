import { failedBecause, SUCCEEDED, type ActionOutcome } from './action.js';
import { scaleProgress } from './core/queries.js';
import type { Engine } from './engine.js';
import { scaleFailureText } from './report/wording.js';

/** Settles when the pool has `wanted` workers, or when it is clear that it will not. */
export function scale(engine: Engine, wanted: number): Promise<ActionOutcome> {
  engine.send({ type: 'scale', instances: wanted });
  return new Promise(resolve => {
    const stopChecking = engine.onChange(check);
    check();
    function check(): void {
      const progress = scaleProgress(engine.pool, wanted);
      if (progress === 'pending') return;
      stopChecking();
      resolve(progress === 'done' ? SUCCEEDED : failedBecause(scaleFailureText(progress)));
    }
  });
}
