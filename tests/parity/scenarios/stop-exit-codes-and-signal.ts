/** `stop_exit_codes: [0]`, and a worker that is killed by a signal and so has no exit code. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';

export default scenario({
  section: 'Restarts',
  title: '`stop_exit_codes` does not apply to a worker that is killed',
  app: { stop_exit_codes: [0] },
  async run(service) {
    const [victim = 0] = await service.startAndServe(2);
    service.killWorker(victim);
    let states: string[] = [];
    await until(async () => {
      states = (await service.workers()).map(({ state }) => state);
      return states.includes('stopped') || service.journal(/^listens/).length === 3;
    }, 'the worker is stopped or replaced');
    return states.includes('stopped') ? 'not replaced' : 'replaced';
  },
  expect: better({
    pm2: 'not replaced',
    native: 'replaced',
    reason: 'a worker that the kernel kills for lack of memory is replaced',
  }),
});
