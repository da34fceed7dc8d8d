/** `exp_backoff_restart_delay: 100` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pausesBetween } from '../steps.js';

const SERIES = [100, 150, 225, 337, 505, 757];
/** What it may take to start a process on a busy machine. */
const SPAWN_MS = 1_500;

export default scenario({
  chapter: 'Restarts',
  promise: 'crashes are retried after 100, 150, 225, 337, 505, 757 ms …',
  app: { instances: 1, exp_backoff_restart_delay: 100 },
  async play(service) {
    service.put('crash', '1');
    await service.start();
    await until(() => service.journal(/^boots/).length > SERIES.length, 'it has been tried often enough');
    const pauses = pausesBetween(service.journal(/^boots/)).slice(0, SERIES.length);
    const fits = pauses.every((ms, n) => ms >= (SERIES[n] ?? 0) && ms < (SERIES[n] ?? 0) + SPAWN_MS);
    return fits ? 'waits as promised' : `waits ${pauses.join(', ')} ms`;
  },
  expect: same('waits as promised'),
});
