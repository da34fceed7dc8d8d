/** The log lines of this service's workers. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'The service itself',
  promise: 'workers log the same JSON lines with the same keys',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async play(service) {
    const [pid] = await service.started(1);
    const lines = (): Record<string, unknown>[] =>
      service
        .logs()
        .map(line => JSON.parse(line) as Record<string, unknown>)
        .filter(line => line['pid'] === pid && !String(line['msg']).startsWith('GET'));
    await until(() => lines().some(({ msg }) => /started successfully/.test(String(msg))), 'it is logged');
    return lines()
      .map(({ msg, ...rest }) => `${String(msg).replace(String(pid), 'N')} (${Object.keys(rest).join(' ')})`)
      .join('; ');
  },
  expect: same(
    'Worker N starting (level time pid hostname env); ' +
      'Worker N HTTP server started successfully (level time pid hostname env)',
  ),
});
