/** SIGTERM twice, with a worker that does not leave and a long `kill_timeout`. */
import { ECHO_MS } from '../../../src/platform/debounce-signal.js';
import { isAlive, until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { comesTrue, pause } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'a second signal ends the service now',
  app: { instances: 1, kill_timeout: 6_000, env: { STUBBORN: 'yes' } },
  async play(service) {
    const pids = await service.started(1);
    service.killSupervisor('SIGTERM');
    await until(() => service.journal(/^ordered/).length > 0, 'the worker has its order');
    await pause(ECHO_MS + 100); // until then it would be the same one, heard twice
    service.killSupervisor('SIGTERM');
    const endsNow = await comesTrue(() => !pids.some(isAlive), 3_000);
    return endsNow ? 'ends now' : 'waits for the worker all the same';
  },
  expect: better({
    pm2: 'waits for the worker all the same',
    native: 'ends now',
    how: 'whoever is in a hurry has a way to say so',
  }),
});
