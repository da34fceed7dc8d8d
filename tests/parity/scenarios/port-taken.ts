/** This service on a port that a program of somebody else has. */
import { createServer } from 'node:net';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'a taken port is said once, and nobody tries again and again',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async play(service) {
    const holder = createServer().listen(service.port);
    try {
      const { ok, text } = await service.start();
      const isSaid = (): boolean => /already in use/.test(text + service.logs().join('\n'));
      await until(isSaid, 'it is said');
      // A crash loop with a backoff of 100 ms would be plain to see by then.
      await pause(1_000);
      const restarts = (await service.workers()).reduce((sum, worker) => sum + worker.restarts, 0);
      const loop = restarts === 0 ? 'no worker is tried again' : `${restarts} more tries`;
      const told = ok && service.alive() ? 'start succeeds' : 'the service ends with an error';
      return `${told}, ${loop}`;
    } finally {
      await new Promise(resolve => holder.close(resolve));
    }
  },
  expect: better({
    pm2: 'start succeeds, no worker is tried again',
    native: 'the service ends with an error, no worker is tried again',
    how: 'exit code 6, and the last line says who has the port',
  }),
});
