/** `instances` rises from 1 to 3 in the app file, then the service is reloaded. */
import { better, scenario } from '../scenario.js';
import { allServing } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload applies changes of `instances`',
  app: { instances: 1 },
  async run(service) {
    await service.startAndServe(1);
    service.writeAppFile({ instances: 3 });
    const { ok } = await service.reload();
    const { length } = await allServing(service);
    if (!ok) return 'not reloaded';
    return length === 1 ? 'still one worker' : `${length} workers`;
  },
  expect: better({
    pm2: 'still one worker',
    native: '3 workers',
    reason: 'the app file decides; PM2 also needs `scale`',
  }),
});
