/** A deploy that makes a folder for each release and lets a link lead to the newest one. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWorkerFile } from '../../src/worker-file.js';
import { messages, OUR_FIELDS, OUR_WORKER, served } from '../support/service.js';
import { cleanUp, CLUSTER, folder, freePort, request, start, until } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** A release of this service, whose worker says which one it is. */
function release(at: string, number: number): string {
  const root = join(at, `release-${number}`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'cabe-arena-api' }));
  writeFileSync(join(root, 'dist', 'index.js'), `console.log('release ${number} begins'); ${OUR_WORKER}`);
  const app = { ...OUR_FIELDS, name: 'linked', script: 'dist/index.js', exec_mode: 'cluster', instances: 1 };
  const fields = JSON.stringify({ ...app, min_uptime: 100 });
  writeFileSync(join(root, 'ecosystem.config.js'), `module.exports = { ...${fields}, cwd: __dirname };`);
  return root;
}

function pointTo(link: string, root: string): void {
  rmSync(link, { force: true });
  symlinkSync(root, link);
}

test('a reload rolls out what the link leads to by now, and retires the old worker without any delay', async () => {
  const at = folder();
  const link = join(at, 'current');
  pointTo(link, release(at, 1));
  const port = await freePort();
  // What a shell tells that was led here by the link.
  const env = { PWD: link, PORT: String(port), TMPDIR: at, DRAIN_DELAY_MS: '60000' };
  const running = start([CLUSTER], env, link);
  await until(() => served(running).length === 1, 'it serves');
  const [old] = served(running);

  pointTo(link, release(at, 2));
  const reload = start([CLUSTER, 'reload'], env, link);
  expect(await reload.ended).toMatchObject({ code: 0 });
  expect(running.text()).toContain('release 2 begins');
  await until(() => messages(running).includes(`Worker ${old} disconnected`), 'the old worker has left');
  expect((await request(port, '/readyz')).status).toBe(200);
});

test('after a failed reload a crash goes on with the release that served before', async () => {
  const at = folder();
  const link = join(at, 'current');
  const good = release(at, 1);
  pointTo(link, good);
  const port = await freePort();
  const env = { PWD: link, PORT: String(port), TMPDIR: at };
  const running = start([CLUSTER], env, link);
  await until(() => served(running).length === 1, 'it serves');

  const broken = release(at, 2);
  writeFileSync(join(broken, 'dist', 'index.js'), 'process.exit(3)');
  pointTo(link, broken);
  const reload = start([CLUSTER, 'reload'], env, link);
  expect(await reload.ended).toMatchObject({ code: 1 });
  expect(reload.text()).toMatch(/✗ reload failed: the new worker of slot 0 exited \(code 3\) .*\n$/);

  process.kill(served(running)[0] ?? NaN, 'SIGKILL');
  await until(() => served(running).length === 2, 'its successor serves');
  expect(messages(running).filter(msg => msg === 'release 1 begins')).toHaveLength(2);
  expect((await request(port, '/readyz')).status).toBe(200);
});

test('our worker is recognised in another build, and no other program is', () => {
  const at = folder();
  const root = release(at, 1);
  // These tests run from the sources.
  expect(isWorkerFile(join(root, 'src', 'index.ts'))).toBe(true);
  expect(isWorkerFile(join(root, 'src', 'app.ts'))).toBe(false);
  expect(isWorkerFile(join(root, 'admin', 'index.ts'))).toBe(false);
  expect(isWorkerFile(join(at, 'index.ts'))).toBe(false);
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'another-app' }));
  expect(isWorkerFile(join(at, 'src', 'index.ts'))).toBe(false);
});
