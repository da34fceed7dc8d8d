/** This service on a port that a program of somebody else has. */
import { createServer } from 'node:net';
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { lastMessage, pause } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'a taken port is said once, and nobody tries again and again',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async play(service) {
    const holder = createServer().listen(service.port);
    try {
      const { ok, code, text } = await service.start();
      const said = new RegExp(`Port ${service.port} is already in use by pid ${process.pid} `);
      await until(() => said.test(text + service.logs().join('\n')), 'it is said, and who has it');
      // A crash loop with a backoff of 100 ms would be plain to see by then.
      await pause(1_000);
      const tries = `${service.starts()} workers are tried`;
      if (ok && service.alive()) return `start succeeds, ${tries}`;
      const isLast = code === EXIT.portTaken && said.test(lastMessage(text));
      return `start fails with exit code ${code}, ${isLast ? 'the last line says why' : text}, ${tries}`;
    } finally {
      await new Promise(resolve => holder.close(resolve));
    }
  },
  expect: better({
    pm2: 'start succeeds, 2 workers are tried',
    native: 'start fails with exit code 6, the last line says why, 0 workers are tried',
    how: 'a deployment notices it, and is told who has the port',
  }),
});
