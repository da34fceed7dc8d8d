/** This service with an invalid LOG_LEVEL. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';

export default scenario({
  section: 'This service',
  title: 'the start command reports an invalid configuration',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2', LOG_LEVEL: 'loud' },
  async run(service) {
    const { ok, code, text } = await service.start();
    const isReason = (line: string): boolean => /LOG_LEVEL must be .* got \\?"loud/.test(line);
    if (!ok) return `start fails with exit code ${code}, ${isReason(text) ? 'and reports the reason' : text}`;
    await until(() => service.workerLogs().some(isReason), 'the reason is logged');
    return 'start succeeds, the reason is in the logs';
  },
  expect: better({
    pm2: 'start succeeds, the reason is in the logs',
    native: 'start fails with exit code 5, and reports the reason',
    reason: 'a deployment fails instead of going on',
  }),
});
