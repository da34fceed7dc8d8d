/** `instances` is raised in the file from 1 to 3, then the service is reloaded. */
import { better, scenario } from '../scenario.js';
import { settled } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload takes over `instances` from the file',
  app: { instances: 1 },
  async play(service) {
    await service.started(1);
    service.describe({ instances: 3 });
    const { ok } = await service.reload();
    const { length } = await settled(service);
    if (!ok) return 'not reloaded';
    return length === 1 ? 'still one worker' : `${length} workers`;
  },
  expect: better({
    pm2: 'still one worker',
    native: '3 workers',
    how: 'the file says what is to be; PM2 needs `scale` as well',
  }),
});
