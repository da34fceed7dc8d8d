/** The logs of all workers of a service, followed as one. */
import { followLog } from '../../src/live/follow-log.js';
import type { LogLine } from '../../src/live/messages.js';
import { serviceFolders, type Sibling } from '../../src/observability/service-folder.js';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { Pm2 } from '../support/pm2.js';
import { cleanUp, freePort, request, start, until, WORKER } from '../support/processes.js';
import { service, serving, type Service } from '../support/service.js';

jest.setTimeout(90_000);

const stops: (() => void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await cleanUp();
});

interface Followed {
  readonly lines: LogLine[];
  readonly ended: Sibling[];
  said(pattern: RegExp, pid?: number): LogLine | undefined;
}

/** Reads the logs of the workers that this process runs. */
function followed(supervisor: number): Followed {
  const [lines, ended]: [LogLine[], Sibling[]] = [[], []];
  const folders = (): string[] => serviceFolders(supervisor);
  stops.push(followLog(folders, { line: line => lines.push(line), ended: worker => ended.push(worker) }));
  return {
    lines,
    ended,
    said: (pattern, pid) => lines.find(line => pattern.test(line.text) && (pid ?? line.pid) === line.pid),
  };
}

/** Requests until a line of each of these workers has come: one may not be followed yet. */
async function expectAllHeard(log: Followed, port: number, pids: readonly number[]): Promise<void> {
  await until(async () => {
    await request(port, '/api/status');
    return pids.every(pid => log.said(/GET \/api\/status 200/, pid) !== undefined);
  }, 'every worker is heard');
}

const get = (port: number, path: string, id: string): Promise<unknown> =>
  request(port, path, { headers: { 'X-Request-Id': id } });

test.each(['production', 'development'])('natively, with new workers, in %s', async NODE_ENV => {
  const running: Service = await service({ workers: 2, env: { NODE_ENV } });
  const log = followed(running.pid);
  const [first = 0, second = 0] = await serving(running);
  await expectAllHeard(log, running.port, [first, second]);
  await get(running.port, '/health', 'the-one');
  await until(() => log.lines.some(({ requestId }) => requestId === 'the-one'), 'the line of the request');
  expect(log.lines.find(({ requestId }) => requestId === 'the-one')).toMatchObject({
    level: 'info',
    text: expect.stringMatching(/^GET \/health 200 [\d.]+ ms$/) as string,
  });
  process.kill(first, 'SIGKILL');
  await until(() => log.ended.some(({ pid }) => pid === first), 'the log of the killed worker has ended');
  await until(async () => (await serving(running)).length === 2, 'it has been replaced');
  await expectAllHeard(log, running.port, await serving(running));
});

test('a blocked loop is reported by the observer thread', async () => {
  const running = await service({ workers: 1, args: ['--config', hangingAppFile()] });
  const log = followed(running.pid);
  const [pid = 0] = await serving(running);
  await expectAllHeard(log, running.port, [pid]);
  await request(running.port, hangPath('loop', 6_000)); // on a busy machine a part of it does not count
  await until(() => log.said(/blocked for 1\d{3} ms/) !== undefined, 'the block is reported');
  expect(log.said(/blocked for/)).toMatchObject({ level: 'warn', slot: 0, pid });
});

test('alone', async () => {
  const [port, management] = [await freePort(), await freePort()];
  const running = start([WORKER], { PORT: String(port), MANAGEMENT_PORT: String(management) });
  await running.said(/HTTP server started successfully/);
  const log = followed(running.pid);
  await expectAllHeard(log, port, [running.pid]);
});

test('under PM2', async () => {
  const port = await freePort();
  const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
  try {
    await pm2.run('start', 'ecosystem.config.js');
    const processes = await pm2.list();
    const log = followed(pm2.daemon);
    await expectAllHeard(
      log,
      port,
      processes.map(({ pid }) => pid),
    );
  } finally {
    await pm2.end();
  }
});
