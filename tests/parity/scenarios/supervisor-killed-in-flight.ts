/** The supervisor is killed with SIGKILL while a request is being sent to this service. */
import http from 'node:http';
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { untilExited, pause } from '../steps.js';

export default scenario({
  section: 'Supervisor and port',
  title: 'a request in flight is answered after the supervisor was killed',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async run(service) {
    const pids = await service.startAndServe(2);
    const status = new Promise<number | string>(resolve => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': 2, Expect: '100-continue' };
      const target = { host: '127.0.0.1', port: service.port, path: '/echo', method: 'POST', headers };
      const request = http.request({ ...target, agent: false }, response => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', error => resolve(String(error)));
      request.once('continue', async () => {
        // A worker has read the head of the request; the body follows when the supervisor is gone.
        service.killSupervisor();
        await until(() => !service.supervisorRuns(), 'the supervisor is gone');
        await pause(300);
        request.end('{}');
      });
      request.flushHeaders();
    });
    const outcome = await status;
    await untilExited(pids);
    return outcome === 404 ? 'answered, then every worker exits' : `not answered: ${outcome}`;
  },
  expect: same('answered, then every worker exits'),
});
