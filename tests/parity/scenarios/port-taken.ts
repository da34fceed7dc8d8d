/** This service on a port that another program has. */
import { createServer } from 'node:net';
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { lastLogMessage, pause } from '../steps.js';

export default scenario({
  section: 'Supervisor and port',
  title: 'a taken port is reported once and not retried',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async run(service) {
    const holder = createServer().listen(service.port);
    try {
      const { ok, code, text } = await service.start();
      const report = new RegExp(`Port ${service.port} is already in use by pid ${process.pid} `);
      await until(
        () => report.test(text + service.workerLogs().join('\n')),
        'the port and its owner are reported',
      );
      // Long enough to see a crash loop with a backoff of 100 ms.
      await pause(1_000);
      const starts = `${service.forkCount()} workers are started`;
      if (ok && service.supervisorRuns()) return `start succeeds, ${starts}`;
      const isLast = code === EXIT.portTaken && report.test(lastLogMessage(text));
      return `start fails with exit code ${code}, ${isLast ? 'the last line says why' : text}, ${starts}`;
    } finally {
      await new Promise(resolve => holder.close(resolve));
    }
  },
  expect: better({
    pm2: 'start succeeds, 2 workers are started',
    native: 'start fails with exit code 6, the last line says why, 0 workers are started',
    reason: 'a deployment fails, and the message names the process that has the port',
  }),
});
