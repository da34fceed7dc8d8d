/** Three workers that need half a second each until they are ready. */
import { better, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'the service is up as soon as it can be',
  app: { instances: 3, env: { BOOT_MS: 500 } },
  async play(service) {
    await service.started(3);
    const story = service.journal(/^(boots|listens)/).map(({ what }) => what.split(' ')[0]);
    if (story.join() === 'boots,listens,boots,listens,boots,listens') return 'one after another';
    return story.slice(0, 3).join() === 'boots,boots,boots' ? 'all side by side' : story.join(', ');
  },
  expect: better({
    pm2: 'one after another',
    native: 'all side by side',
    how: 'a service of many workers starts in the time of one',
  }),
});
