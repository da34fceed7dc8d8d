/** `autorestart: false`; one of two workers ends. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pause, provoke } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: '`autorestart: false` replaces nobody',
  app: { autorestart: false },
  async play(service) {
    await service.started(2);
    await provoke(service, '/exit?1');
    await until(
      async () => (await service.workers()).some(({ state }) => state === 'stopped'),
      'one is stopped',
    );
    // And nothing follows.
    await pause(500);
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.journal(/^boots/).length} boots; ${states.toSorted().join(', ')}`;
  },
  expect: same('2 boots; serving, stopped'),
});
