/** This service with a PORT that is none. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';

export default scenario({
  chapter: 'The service itself',
  promise: 'an invalid configuration is told to whoever starts the service',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2', LOG_LEVEL: 'loud' },
  async play(service) {
    const { ok, code } = await service.start();
    await until(
      () => !service.alive() || service.logs().some(line => line.includes('LOG_LEVEL')),
      'it is said',
    );
    return ok ? 'start succeeds, the reason is in the logs' : `start fails with exit code ${code}`;
  },
  expect: better({
    pm2: 'start succeeds, the reason is in the logs',
    native: 'start fails with exit code 5',
    how: 'a deployment notices it',
  }),
});
