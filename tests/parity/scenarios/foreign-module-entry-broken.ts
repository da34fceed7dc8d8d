/** An ES module as the entry that fails as it is loaded. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'an ES module that cannot be loaded is not said to serve',
  program: 'broken.mjs',
  app: { wait_ready: false, max_restarts: 3 },
  async play(service) {
    const { ok, text } = await service.start();
    if (!ok)
      return /a CommonJS file that imports the ES module/.test(text) ? 'refused with the cure' : 'refused';
    await until(() => service.logs().some(line => line.includes('broken at its first line')), 'it is logged');
    await pause(500);
    const workers = await service.workers();
    return workers.every(({ state, restarts }) => state === 'serving' && restarts === 0)
      ? 'said to serve, forever'
      : 'not said to serve';
  },
  expect: better({
    pm2: 'said to serve, forever',
    native: 'refused with the cure',
    how: 'nothing that is broken looks well',
  }),
});
