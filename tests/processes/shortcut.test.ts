/** The shorter way to the worker's modules (`src/worker/shortcut.ts`), in a project of its own that this Node has built. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cleanUp, folder, freePort, request, ROOT, start, type Running } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

function project(): string {
  const at = folder();
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(ROOT, name), join(at, name), { recursive: true });
  mkdirSync(join(at, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules', name), join(at, 'node_modules', name));
  execFileSync(process.execPath, ['scripts/build.cjs'], { cwd: at });
  return at;
}

async function serving(at: string, program = 'dist/index.js'): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const running = start([join(at, program)], { PORT: String(port), HOST: '127.0.0.1' }, at);
  await running.said(/HTTP server started/);
  return Object.assign(running, { port });
}

test('every script of a start has a code cache that V8 takes, and nothing else is loaded', async () => {
  const at = project();
  writeFileSync(
    join(at, 'dist', 'telling.js'),
    `const { compiled, lifecycle } = require('./worker/shortcut.js');
     lifecycle().runWorker().then(() => console.log('TOLD ' + JSON.stringify({
       refused: [...compiled].filter(([, script]) => script.cachedDataRejected !== false).map(([path]) => path),
       outside: Object.keys(require.cache).filter(path => !compiled.has(path.slice(__dirname.length + 1))),
     })));`,
  );
  const { msg } = await (await serving(at, 'dist/telling.js')).said(/^TOLD/);
  const { refused, outside } = JSON.parse(msg.slice(5)) as Record<'refused' | 'outside', string[]>;
  expect(refused).toEqual([]);
  expect(outside.map(path => relative(at, path))).toEqual(['dist/telling.js', 'dist/worker/shortcut.js']);
});

test('what was postponed is loaded by the first request that needs it, and by no other', async () => {
  const at = project();
  writeFileSync(
    join(at, 'dist', 'telling.js'),
    `const { compiled, lifecycle } = require('./worker/shortcut.js');
     void lifecycle().runWorker();
     const tell = () => console.log('TOLD ' + [...compiled.keys()].filter(path => path.startsWith('postponed')));
     process.on('SIGUSR2', tell);`,
  );
  const running = await serving(at, 'dist/telling.js');
  const ask = (charset: string): Promise<number> =>
    request(running.port, '/nowhere', {
      method: 'POST',
      headers: { 'Content-Type': `application/json; charset=${charset}` },
      body: '{}',
    }).then(({ status }) => status);
  expect((await request(running.port, '/nowhere')).status).toBe(404);
  running.kill('SIGUSR2');
  await running.said(/^TOLD $/);
  expect([await ask('utf-8'), await ask('utf-99')]).toEqual([404, 415]);
  running.kill('SIGUSR2');
  await running.said(/^TOLD postponed\/iconv-lite\.js$/);
});

test('a module that was compiled after the build counts, also where it is as long', async () => {
  const at = project();
  const module = join(at, 'dist', 'routes', 'status.js');
  writeFileSync(module, readFileSync(module, 'utf8').replace('API is running', 'API is walking'));
  const { port } = await serving(at);
  expect((await request(port, '/api/status')).json()).toMatchObject({ message: 'Cabe Arena API is walking' });
});

test('a package that was installed after the build counts, and the log says so', async () => {
  const at = project();
  const installed = join(at, 'node_modules', 'express');
  rmSync(installed);
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), '{ "version": "0.0.1" }');
  const real = JSON.stringify(join(ROOT, 'node_modules', 'express'));
  writeFileSync(join(installed, 'index.js'), `console.log('installed'); module.exports = require(${real});`);
  const running = await serving(at);
  await running.said(/^installed$/);
  await running.said(
    /express 0\.0\.1 is installed, but the build has packed [\d.]+: loading what is installed/,
  );
});

test('stack traces name our own files', async () => {
  const at = project();
  const module = join(at, 'dist', 'routes', 'status.js');
  writeFileSync(module, readFileSync(module, 'utf8').replace('response.json(', 'response.jsom('));
  const running = await serving(at);
  expect((await request(running.port, '/api/status')).status).toBe(500);
  const { err } = await running.said(/Request failed/);
  const line =
    readFileSync(module, 'utf8')
      .split('\n')
      .findIndex(text => text.includes('jsom(')) + 1;
  expect((err as { stack: string }).stack).toContain(`${module}:${line}:`);
});
