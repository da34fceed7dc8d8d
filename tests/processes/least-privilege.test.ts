/**
 * What the service needs of the system: no root, no capability, no file that it can write but those of its folder. Tried
 * as root only, who alone can take all of this away.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findUser } from '../../src/platform/users.js';
import {
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  request,
  ROOT,
  start,
  until,
  type Running,
} from '../support/processes.js';
import { control, messages, serving } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const nobody = findUser('nobody');

const CONFINED = [
  '--reuid=nobody',
  '--clear-groups',
  ...(nobody === undefined ? [] : [`--regid=${nobody.gid}`]),
  '--no-new-privs',
  '--inh-caps=-all',
  '--bounding-set=-all',
];

/** In a mount namespace of its own the whole tree is made read-only, but for the folders named; then it becomes `nobody`. */
const launcher = (writable: readonly string[]): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  [
    'set -e',
    ...writable.map(
      path => `mount -t tmpfs -o mode=0700,uid=${nobody?.uid},gid=${nobody?.gid} tmpfs "${path}"`,
    ),
    'mount -o remount,bind,ro /',
    ...(writable.includes('/dev/shm') ? [] : ['mount -t tmpfs -o ro tmpfs /dev/shm']),
    'exec "$@"',
  ].join('\n'),
  'sh',
  'setpriv',
  ...CONFINED,
];

function canConfine(): boolean {
  try {
    if (process.getuid?.() !== 0 || nobody === undefined) return false;
    const [command = '', ...args] = launcher([]);
    execFileSync(command, [...args, 'test', '-r', CLUSTER], { stdio: 'ignore' });
    execFileSync(command, [...args, process.execPath, '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

interface Confined {
  readonly running: Running;
  readonly port: number;
  /** For commands from outside of the namespace. */
  readonly env: Readonly<Record<string, string>>;
}

/** @param writable the folder of the control socket, and others; without any it is the default one */
async function confined(...writable: readonly string[]): Promise<Confined> {
  const port = await freePort();
  const [runDirectory] = writable;
  const env = runDirectory === undefined ? {} : { RUN_DIR: runDirectory };
  const settings = { PORT: String(port), WEB_CONCURRENCY: '2', ...env };
  const running = start([CLUSTER], settings, ROOT, launcher(writable));
  await until(
    () => messages(running).filter(line => line.includes('HTTP server started')).length === 2,
    'both workers serve',
  );
  return { running, port, env: { RUN_DIR: `/proc/${running.pid}/root${runDirectory}` } };
}

/** The lines of /proc/PID/status that say what a process may do. */
function rightsOf(pid: number): Record<string, string> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const keys = ['Uid', 'CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs'];
  return Object.fromEntries(
    keys.map(key => [key, new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '']),
  );
}

(canConfine() ? describe : describe.skip)(
  'without root, capabilities, new privileges and a writable system',
  () => {
    test('the service serves, follows commands, reloads, replaces a killed worker and stops', async () => {
      const { running, port, env } = await confined(folder(), '/dev/shm');
      const none = '0'.repeat(16);
      const rights = { Uid: String(nobody?.uid), CapEff: none, CapPrm: none, CapBnd: none, NoNewPrivs: '1' };
      const [first = NaN] = await serving({ env });
      for (const pid of [running.pid, first]) expect(rightsOf(pid)).toEqual(rights);
      expect((await request(port, '/health')).status).toBe(200);
      expect((await control({ env }, 'POST', '/reload')).json()).toMatchObject({ ok: true });
      const [killed = NaN] = await serving({ env });
      process.kill(killed, 'SIGKILL');
      await until(async () => {
        const now = await serving({ env });
        return now.length === 2 && !now.includes(killed);
      }, 'it has been replaced');
      expect(messages(running).filter(line => /denied|EROFS|EACCES|EPERM/.test(line))).toEqual([]);
      running.kill();
      expect(await running.ended).toEqual({ code: 0, signal: null });
    });

    test('with nothing at all that it can write it serves, and says what it has to do without', async () => {
      const { running, port } = await confined();
      expect((await request(port, '/health')).status).toBe(200);
      expect(messages(running)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^Commands cannot reach this supervisor: /),
          expect.stringMatching(/^Hung workers are not noticed: /),
        ]),
      );
      running.kill();
      expect(await running.ended).toEqual({ code: 0, signal: null });
    });
  },
);
