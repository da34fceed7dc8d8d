/** Ordinary things that any client, developer or agent does, on what the build made: natively, under PM2 and alone. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Pm2 } from '../support/pm2.js';
import {
  cleanUp,
  folder,
  freePort,
  request,
  ROOT,
  start,
  until,
  WORKER,
  type Running,
} from '../support/processes.js';
import { service } from '../support/service.js';

jest.setTimeout(120_000);

/** What has to be ended after a test besides the processes that `start` knows. */
let pm2: Pm2 | undefined;
afterEach(async () => {
  await pm2?.end();
  pm2 = undefined;
  await cleanUp();
});

async function alone(env: Readonly<Record<string, string>> = {}, program = WORKER) {
  const port = await freePort();
  const running = start([program], { PORT: String(port), HOST: '127.0.0.1', ...env });
  await running.said(/HTTP server started/);
  return Object.assign(running, { port });
}

/** The port of a service that serves, by each way to start it. */
const WAYS: Readonly<Record<string, () => Promise<number>>> = {
  alone: async () => (await alone()).port,
  'under the native supervisor': async () => (await service({ workers: 1 })).port,
  'under PM2': async () => {
    const port = await freePort();
    pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '1' });
    expect((await pm2.run('start', 'ecosystem.config.js')).code).toBe(0);
    return port;
  },
};

const ENCODINGS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

test.each(Object.entries(WAYS))('a compressed body is read, %s', async (_name, serve) => {
  const port = await serve();
  for (const [encoding, compress] of Object.entries(ENCODINGS)) {
    const send = (body: string) =>
      request(port, '/nowhere', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': encoding },
        body: compress(body),
      });
    expect([encoding, (await send('{"a":1}')).status]).toEqual([encoding, 404]);
    // Only a body that was decompressed can be found malformed.
    expect([encoding, (await send('{"a":')).status]).toEqual([encoding, 400]);
  }
});

/** Packages of these names that a process has loaded from `node_modules`; written when it ends. */
function watcher(): { readonly file: string; readonly loaded: () => string } {
  const at = folder();
  const [file, notes] = [join(at, 'agent.cjs'), join(at, 'notes')];
  writeFileSync(
    file,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(notes)},
       ['express', 'pino'].filter(name => Object.keys(require.cache).some(path =>
         path.includes('/node_modules/' + name + '/'))).join()));`,
  );
  return { file, loaded: () => execFileSync('cat', [notes], { encoding: 'utf8' }) };
}

const stopped = async (running: Running): Promise<number | null> => {
  running.kill();
  return (await running.ended).code;
};

test('code that is preloaded sees Express and pino, and requests are answered and logged', async () => {
  const { file, loaded } = watcher();
  const worker = await alone({ NODE_OPTIONS: `--require ${file}` });
  expect((await request(worker.port, '/health')).status).toBe(200);
  await worker.said(/^GET \/health 200/);
  expect(await stopped(worker)).toBe(0);
  expect(loaded()).toBe('express,pino');
});

test('--enable-source-maps changes nothing for clients', async () => {
  const worker = await alone({ NODE_OPTIONS: '--enable-source-maps' });
  expect((await request(worker.port, '/health')).status).toBe(200);
  await worker.said(/^GET \/health 200/);
  expect(await stopped(worker)).toBe(0);
});

test('a module that brings the logger along logs, and harms no request', async () => {
  const at = folder();
  const program = join(at, 'app.js');
  writeFileSync(
    program,
    `const { logger } = require(${JSON.stringify(join(ROOT, 'dist', 'utils', 'logger.js'))});
     logger.info('from a module of my own');
     require(${JSON.stringify(WORKER)});`,
  );
  const worker = await alone({}, program);
  expect(worker.lines.map(({ msg }) => msg)).toContain('from a module of my own');
  for (let n = 0; n < 3; n++) expect((await request(worker.port, '/health')).status).toBe(200);
  await until(() => worker.lines.filter(({ msg }) => msg.startsWith('GET')).length === 3, 'all are logged');
  expect(await stopped(worker)).toBe(0);
});

test('the logger can be imported by name under tsx, as `yarn dev` runs the sources', () => {
  const program = join(folder(), 'uses.ts');
  const logger = join(ROOT, 'src', 'utils', 'logger.js');
  writeFileSync(
    program,
    `import { logger } from ${JSON.stringify(logger)};\nlogger.info('hello from tsx');\n`,
  );
  const tsx = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const { PATH = '' } = process.env;
  const output = execFileSync(process.execPath, [tsx, program], { encoding: 'utf8', env: { PATH } });
  expect(JSON.parse(output)).toMatchObject({ level: 30, msg: 'hello from tsx' });
});
