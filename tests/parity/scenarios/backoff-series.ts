/** `exp_backoff_restart_delay: 1000` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pausesAfterCrashes } from '../steps.js';

/** Each half as long again as the one before; fractions are dropped. */
const SERIES = [1_000, 1_500, 2_250, 3_375];

/** What a busy machine may add: so little that no constant delay and no other factor fits all four. */
const LATE_MS = 500;

export default scenario({
  chapter: 'Restarts',
  promise: 'crashes are retried after 1000, 1500, 2250, 3375 ms …',
  app: { instances: 1, exp_backoff_restart_delay: 1_000 },
  async play(service) {
    service.put('crash', '1');
    await service.start();
    await until(() => service.journal(/^boots/).length > SERIES.length, 'it has been tried often enough');
    const pauses = pausesAfterCrashes(service).slice(0, SERIES.length);
    const fits = pauses.every((ms, n) => {
      const promised = SERIES[n] ?? 0;
      return ms >= promised && ms < promised + LATE_MS;
    });
    return fits ? 'waits as promised' : `waits ${pauses.join(', ')} ms`;
  },
  expect: same('waits as promised'),
});
