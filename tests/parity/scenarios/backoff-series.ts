/** `exp_backoff_restart_delay: 1000` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { delaysAfterCrashes } from '../steps.js';

/** In ms; each is half as long again as the one before, rounded down. */
const SERIES = [1_000, 1_500, 2_250, 3_375];

/** Tolerance for a busy machine, small enough that neither a constant delay nor another factor fits all four. */
const TOLERANCE_MS = 500;

export default scenario({
  section: 'Restarts',
  title: 'restarts of a crashing worker wait 1000, 1500, 2250, 3375 ms …',
  app: { instances: 1, exp_backoff_restart_delay: 1_000 },
  async run(service) {
    service.writeFile('crash', '1');
    await service.start();
    await until(() => service.journal(/^boots/).length > SERIES.length, 'there were enough restarts');
    const delays = delaysAfterCrashes(service).slice(0, SERIES.length);
    const fits = delays.every((ms, n) => {
      const expected = SERIES[n] ?? 0;
      return ms >= expected && ms < expected + TOLERANCE_MS;
    });
    return fits ? 'waits as configured' : `waits ${delays.join(', ')} ms`;
  },
  expect: same('waits as configured'),
});
