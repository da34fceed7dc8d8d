/** `autostart: false`. */
import { better, scenario } from '../scenario.js';

export default scenario({
  section: 'Supervisor and port',
  title: 'an app with `autostart: false` is not started',
  app: { instances: 1, autostart: false },
  async run(service) {
    const { ok, text } = await service.start();
    const boots = service.journal(/^boots/).length;
    if (ok) return `start reports success, ${boots} workers are started`;
    return `start fails${text.includes('autostart') ? ' and says why' : ''}, ${boots} workers are started`;
  },
  expect: better({
    pm2: 'start reports success, 0 workers are started',
    native: 'start fails and says why, 0 workers are started',
    reason: 'PM2 lists it for a later start; a supervisor in the foreground would have nothing to do',
  }),
});
