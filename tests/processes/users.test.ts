/** `uid` and `gid`: workers that give up root, on the built product. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findUser } from '../../src/platform/users.js';
import { cleanUp, CLUSTER, folder, freePort, request, ROOT, start, until } from '../support/processes.js';
import { appFile, control, OUR_FIELDS, OUR_WORKER, serving, statusOf } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const nobody = findUser('nobody');

/** Whether this user may become another one, and that one may read this repository. */
function canDropRights(): boolean {
  try {
    const as = ['--reuid=nobody', '--clear-groups', 'test', '-r', `${ROOT}/dist/index.js`];
    execFileSync('setpriv', as, { stdio: 'ignore' });
    return process.getuid?.() === 0 && nobody !== undefined;
  } catch {
    return false;
  }
}

/** The numbers of a line of /proc/PID/status. */
const numbersOf = (pid: number, key: string): number[] =>
  (RegExp(`^${key}:(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);

/** A port that only root may open, and that no process uses. */
async function lowPort(): Promise<number> {
  for (let port = 1_023; port > 600; port--)
    if (
      await request(port, '/').then(
        () => false,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      )
    )
      return port;
  throw new Error('every low port is taken');
}

(canDropRights() ? describe : describe.skip)('with `uid`', () => {
  test('our workers have no right of root, serve a low port, are replaced, watched and measured', async () => {
    const port = await lowPort();
    const management = await freePort();
    const fields = { ...OUR_FIELDS, instances: 1, uid: 'nobody' };
    const file = appFile(OUR_WORKER, fields);
    chmodSync(dirname(file), 0o755);
    const env = { PORT: String(port), MANAGEMENT_PORT: String(management), RUN_DIR: folder() };
    const running = start([CLUSTER, '--config', file], env);
    await until(async () => (await serving({ env }).catch(() => [])).length === 1, 'it serves');
    const [pid = 0] = await serving({ env });
    const { uid, gid } = nobody ?? { uid: NaN, gid: NaN };
    expect(numbersOf(pid, 'Uid')).toEqual([uid, uid, uid, uid]);
    expect(numbersOf(pid, 'Gid')).toEqual([gid, gid, gid, gid]);
    expect(numbersOf(pid, 'Groups')).toEqual([]);
    expect((await request(port, '/health')).status).toBe(200);
    await until(
      () =>
        request(management, '/metrics').then(
          ({ status }) => status === 200,
          () => false,
        ),
      'it has metrics',
    );
    expect((await statusOf({ env })).workers[0]?.memory).toBeGreaterThan(0);

    expect((await control({ env }, 'POST', '/reload')).status).toBe(200);
    const [successor = 0] = await serving({ env });
    expect(successor).not.toBe(pid);
    expect(numbersOf(successor, 'Uid')[0]).toBe(uid);
    expect((await request(port, '/health')).status).toBe(200);

    running.kill();
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.text()).not.toMatch(/EACCES|EPERM|"level":(40|50|60)/);
  });

  test('another program serves a low port as well', async () => {
    const port = await lowPort();
    const program = `require('node:http').createServer((_, response) => response.end(String(process.getuid()))).listen(process.env.PORT);`;
    const file = appFile(program, { instances: 1, uid: 'nobody', port });
    chmodSync(dirname(file), 0o755);
    const env = { RUN_DIR: folder() };
    start([CLUSTER, '--config', file], env);
    await until(async () => (await serving({ env }).catch(() => [])).length === 1, 'it serves');
    expect((await request(port, '/')).text).toBe(String(nobody?.uid));
  });

  test('a supervisor that may not change users refuses to start, and says why', async () => {
    const file = appFile('', { uid: 'root' });
    chmodSync(dirname(file), 0o755);
    const launcher = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];
    const running = start([CLUSTER, '--config', file], {}, '/', launcher);
    expect((await running.ended).code).toBe(5);
    expect(running.text()).toContain(
      `uid must be the user that runs this supervisor (${nobody?.uid}, group ${nobody?.gid}), or the supervisor must run as root, which may change users, got \\"root\\"`,
    );
  });

  test('root without the right to change users refuses to start as well', async () => {
    const file = appFile('', { uid: 'nobody' });
    const launcher = ['setpriv', '--bounding-set=-setuid', '--inh-caps=-setuid'];
    const running = start([CLUSTER, '--config', file], {}, '/', launcher);
    expect((await running.ended).code).toBe(5);
    expect(running.text()).toContain('uid must be the user that runs this supervisor (0, group 0)');
  });
});

test('an unknown `uid` refuses the start', async () => {
  const file = appFile('', { uid: 'no-such-user' });
  const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
  expect((await running.ended).code).toBe(5);
  expect(running.text()).toContain('uid must be the name of a user in /etc/passwd, or a number');
});
