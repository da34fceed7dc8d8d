/** Three workers, none of which gets ready before there is a file. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { comesTrue, wordOf } from '../steps.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'the service is up as soon as it can be',
  app: { instances: 3, listen_timeout: 20_000, env: { GATE: 'yes' } },
  async play(service) {
    const starting = service.start();
    const boots = (): number => service.journal(/^boots/).length;
    await until(() => boots() > 0, 'the first one boots');
    // Whoever does not wait for the first one starts the others long before this is over.
    const sideBySide = await comesTrue(() => boots() === 3, 3_000);
    service.put('gate', '');
    await starting;
    await service.serving(3);
    if (sideBySide) return 'all side by side';
    const story = service
      .journal(/^(boots|listens)/)
      .map(wordOf)
      .join();
    return story === 'boots,listens,boots,listens,boots,listens' ? 'one after another' : story;
  },
  expect: better({
    pm2: 'one after another',
    native: 'all side by side',
    how: 'a service of many workers starts in the time of one',
  }),
});
