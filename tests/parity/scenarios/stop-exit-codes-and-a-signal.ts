/** `stop_exit_codes: [0]`, and a worker that dies of a signal: it had no exit code. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that was killed did not say that its work is done',
  app: { stop_exit_codes: [0] },
  async play(service) {
    const [victim = 0] = await service.started(2);
    service.killWorker(victim);
    let states: string[] = [];
    await until(async () => {
      states = (await service.workers()).map(({ state }) => state);
      return states.includes('stopped') || service.journal(/^listens/).length === 3;
    }, 'it is stopped or replaced');
    return states.includes('stopped') ? 'stopped for good' : 'replaced';
  },
  expect: better({
    pm2: 'stopped for good',
    native: 'replaced',
    how: 'a death by signal (the kernel short of memory, say) matches no exit code',
  }),
});
