/** During a reload, a request in flight needs the helper process of its worker. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { startWithHelper } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'a draining worker keeps its child processes',
  program: 'with-helper.js',
  app: { instances: 1, kill_timeout: 8_000 },
  async run(service) {
    await startWithHelper(service);
    const held = service.get('/held');
    await until(() => service.journal(/^holds/).length === 1, 'the request is in flight');
    const reload = service.reload();
    await until(() => service.journal(/^ordered/).length === 1, 'the old worker has the order');
    service.writeFile('release', '');
    const { text } = await held;
    await reload;
    return text;
  },
  expect: better({
    pm2: 'the helper has exited',
    native: 'answered',
    reason: 'helpers end after their worker; PM2 signals all of them at once',
  }),
});
