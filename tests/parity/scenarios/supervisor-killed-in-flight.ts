/** The supervisor is killed with SIGKILL while a request is still being sent to this service. */
import http from 'node:http';
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { gone, pause } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'a request in flight is answered although the supervisor was killed',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async play(service) {
    const pids = await service.started(2);
    const status = new Promise<number | string>(resolve => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': 2, Expect: '100-continue' };
      const target = { host: '127.0.0.1', port: service.port, path: '/echo', method: 'POST', headers };
      const request = http.request({ ...target, agent: false }, response => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', error => resolve(String(error)));
      request.once('continue', async () => {
        // A worker has the request, not only the kernel; its body follows when the supervisor is gone.
        service.killSupervisor();
        await until(() => !service.alive(), 'the supervisor is gone');
        await pause(300);
        request.end('{}');
      });
      request.flushHeaders();
    });
    const seen = await status;
    await gone(pids);
    return seen === 404 ? 'answered, then every worker leaves' : `not answered: ${seen}`;
  },
  expect: same('answered, then every worker leaves'),
});
