import type { Clock } from '../clock.js';
import { stableAt, startProgress } from '../core/queries.js';
import { startLostText } from '../report/wording.js';
import type { Supervisor } from '../supervisor.js';

/**
 * Resolves once all workers of this service serve and are stable.
 * @throws Error saying how the first one ended that is lost before
 */
export function proved(supervisor: Supervisor, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const stopLooking = supervisor.onChange(look);
    look();

    function look(): void {
      clearTimeout(timer);
      const now = clock.now();
      const progress = startProgress(supervisor.pool, now);
      if (progress === 'pending') {
        const left = stableAt(supervisor.pool) - now;
        if (left > 0 && left < Infinity) timer = setTimeout(look, left);
        return;
      }
      stopLooking();
      if (progress === 'proved') resolve();
      else reject(new Error(startLostText(progress)));
    }
  });
}
