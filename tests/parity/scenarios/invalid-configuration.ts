/** This service with a LOG_LEVEL that is none. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';

export default scenario({
  chapter: 'The service itself',
  promise: 'an invalid configuration is told to whoever starts the service',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2', LOG_LEVEL: 'loud' },
  async play(service) {
    const { ok, code, text } = await service.start();
    const isReason = (line: string): boolean => /LOG_LEVEL must be .* got \\?"loud/.test(line);
    if (!ok) return `start fails with exit code ${code}, ${isReason(text) ? 'and the reason' : text}`;
    await until(() => service.logs().some(isReason), 'the reason is logged');
    return 'start succeeds, the reason is in the logs';
  },
  expect: better({
    pm2: 'start succeeds, the reason is in the logs',
    native: 'start fails with exit code 5, and the reason',
    how: 'a deployment notices it',
  }),
});
