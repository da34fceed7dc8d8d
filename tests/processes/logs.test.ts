/** Log lines of several processes that share a pipe: whole, and none missing but those that are counted. */
import { spawn, type StdioOptions } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  cleanUp,
  CLUSTER,
  folder,
  follow,
  freePort,
  request,
  ROOT,
  until,
  type LogLine,
  type Running,
} from '../support/processes.js';
import { appFile, OUR_FIELDS, OUR_WORKER, statusOf } from '../support/service.js';
import { pipe, type Pipe } from '../support/slow-reader.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

interface Piped {
  readonly running: Running;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A service whose outputs are what is given, serving; its log is not needed to know that. */
async function piped(
  stdio: StdioOptions,
  workers: number,
  args: readonly string[] = [],
  more: Piped['env'] = {},
): Promise<Piped> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'] ?? '',
    PORT: String(port),
    WEB_CONCURRENCY: String(workers),
    RUN_DIR: folder(),
    ...more,
  };
  const child = spawn(process.execPath, [CLUSTER, ...args], { cwd: ROOT, env, stdio, detached: true });
  const running = follow(child);
  for (const fd of new Set([stdio].flat())) if (typeof fd === 'number') closeSync(fd);
  await until(
    () =>
      statusOf({ env }).then(
        ({ state }) => state === 'ready',
        () => false,
      ),
    'it serves',
  );
  return { running, port, env };
}

/** Requests with URLs of so many characters, a few at a time; no two of a length are equal. */
async function ask(port: number, count: number, length: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const padding = 'x'.repeat(length);
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      request(port, `/nowhere/${length}-${index}/${padding}`, { agent }),
    ),
  );
  agent.destroy();
}

/** The lines as they came; a line that is not JSON fails the test. */
const parsed = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as LogLine);

const accessLines = (lines: readonly LogLine[]): LogLine[] =>
  lines.filter(({ msg }) => msg.startsWith('GET /nowhere/'));

/** The lines that all workers have lost, by their metrics. */
const lostIn = (metrics: string): number =>
  [...metrics.matchAll(/^worker_log_lines_lost_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );

/** Reads in small bites with pauses, as a log shipper under pressure does, until all writers have closed it. */
async function readSlowly({ read }: Pipe, isEnded: () => boolean): Promise<void> {
  while (!isEnded() || read() > 0) {
    read(16 * 1024);
    await sleep(3);
  }
}

/** Stops it and waits for its end, which the reader of its log needs not know of. */
async function stop({ running }: Piped): Promise<void> {
  running.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 0, signal: null });
}

const PROGRAM = `${OUR_WORKER}
  setInterval(() => process.stderr.write(JSON.stringify({ msg: 'stderr', more: 'y'.repeat(100) }) + '\\n'), 50);`;

test('four workers, standard error on the same pipe and a slow reader: every line is whole, none is missing', async () => {
  const log = pipe();
  const file = appFile(PROGRAM, { ...OUR_FIELDS, instances: 4 });
  const started = piped(['ignore', log.fd, log.fd], 4, ['--config', file]);
  let isEnded = false;
  const reading = readSlowly(log, () => isEnded);
  const running = await started;
  await ask(running.port, 1_500, 64);
  await ask(running.port, 500, 6_000);
  await stop(running);
  isEnded = true;
  await reading;
  const lines = parsed(log.text());
  expect(accessLines(lines)).toHaveLength(2_000);
  expect(new Set(accessLines(lines).map(({ url }) => String(url).split('/')[2])).size).toBe(2_000);
  expect(lines.some(({ msg }) => msg === 'stderr')).toBe(true);
  expect(lines.at(-1)?.msg).toBe('All workers disconnected, master process exiting');
});

test('a pipe that is full from the start, and that has no reader, stops nothing; lines wait for a reader', async () => {
  const log = pipe();
  log.fill();
  const running = await piped(['ignore', log.fd, log.fd], 2);
  await ask(running.port, 200, 1_000);
  await until(() => log.read() === 0 && accessLines(parsed(log.text())).length === 200, 'all are read');
  expect(parsed(log.text()).map(({ msg }) => msg)).toContain(
    `Master process ${running.running.pid} is running`,
  );
  await stop(running);
});

test('the last words of a service wait for the reader of a full pipe, and its end does not wait for ever', async () => {
  const log = pipe();
  log.fill();
  const running = await piped(['ignore', log.fd, log.fd], 1);
  const stopping = stop(running);
  await until(() => !existsSync(join(running.env['RUN_DIR'] ?? '', 'supervisor.sock')), 'it ends');
  await readSlowly(log, () => running.running.child.exitCode !== null);
  await stopping;
  const words = parsed(log.text()).map(({ msg }) => msg);
  expect(words).toContain(`Master process ${running.running.pid} is running`);
  expect(words.at(-1)).toBe('All workers disconnected, master process exiting');
});

test('a reader that never reads does not keep a service from its end', async () => {
  const log = pipe();
  log.fill();
  const running = await piped(['ignore', log.fd, 'pipe'], 2);
  await stop(running);
  expect(running.running.text()).toMatch(/^\d+ log lines lost at the end: standard output has no reader$/m);
});

test('a reader that goes away ends nothing; metrics count the lines', async () => {
  const log = pipe();
  const metrics = await freePort();
  const running = await piped(['ignore', log.fd, log.fd], 2, [], { MANAGEMENT_PORT: String(metrics) });
  log.close();
  await ask(running.port, 200, 1_000);
  await until(async () => lostIn((await request(metrics, '/metrics')).text) >= 200, 'they are counted');
  expect((await statusOf(running)).workers.map(({ restarts }) => restarts)).toEqual([0, 0]);
  await stop(running);
});

test('what finds no room is counted, and reported when there is a reader again', async () => {
  const log = pipe();
  const program = `
    const { logger } = require('cabe-arena-api/logger');
    for (let index = 0; index < 12000; index++) logger.info({ index, more: 'x'.repeat(1000) }, 'hello');
    process.send('full');
    setInterval(() => undefined, 1000);
    process.on('message', () => process.exit());`;
  const child = spawn(process.execPath, ['-e', program], {
    cwd: ROOT,
    stdio: ['ignore', log.fd, 'pipe', 'ipc'],
    detached: true,
  });
  const running = follow(child);
  closeSync(log.fd);
  await new Promise(resolve => child.once('message', resolve));
  const report = /^(\d+) log lines lost: the reader of standard output was too slow$/;
  await until(
    () => log.read() === 0 && parsed(log.text()).some(({ msg }) => report.test(msg)),
    'it is reported',
  );
  child.send('exit');
  expect((await running.ended).code).toBe(0);
  const lines = parsed(log.text());
  const kept = lines.filter(({ msg }) => msg === 'hello').map(({ index }) => index);
  expect(kept).toEqual(Array.from(kept, (_, index) => index));
  expect(lines.at(-1)).toMatchObject({
    level: 40,
    msg: `${12_000 - kept.length} log lines lost: the reader of standard output was too slow`,
  });
});
