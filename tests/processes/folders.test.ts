/** Services in folders that cannot be written to, as in a container with a read-only root: what they say, and that they serve. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, CLUSTER, folder, freePort, request, ROOT, start, until } from '../support/processes.js';
import { messages } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Whether this user may mount file systems of its own. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts a program with a file system of its own in this folder. */
const mounting = (at: string, options: string): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o ${options} none '${at}' && exec "$@"`,
  'sh',
];

interface Warned {
  readonly warnings: readonly string[];
  readonly code: number | null;
}

/** What our service says until it serves and has an observer thread. @param env where it finds its folders */
async function serviceIn(env: Record<string, string>, launcher: readonly string[] = []): Promise<Warned> {
  const port = await freePort();
  const all = {
    PORT: String(port),
    MANAGEMENT_PORT: String(await freePort()),
    WEB_CONCURRENCY: '1',
    DRAIN_DELAY_MS: '0',
    ...env,
  };
  const running = start([CLUSTER], all, ROOT, launcher);
  await running.said(/^No metrics: /);
  await until(
    () =>
      request(port, '/health')
        .then(({ status }) => status === 200)
        .catch(() => false),
    'it serves',
  );
  running.kill();
  const { code } = await running.ended;
  const warnings = messages(running).filter(msg => /^(Commands|No metrics|Hung|The counters)/.test(msg));
  return { warnings, code };
}

test('a folder for temporary files below a file is named with the cause and the cure, once', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const { warnings, code } = await serviceIn({ TMPDIR: file });
  expect(code).toBe(0);
  expect(warnings).toEqual([
    expect.stringMatching(
      RegExp(
        `^Commands cannot reach this supervisor: unable to write ${file}/cabe-arena-api-\\S+: a part of the path is not a folder \\(ENOTDIR\\); set RUN_DIR to a folder that this user may write to, at the start and for commands, or mount one \\(docker run --tmpfs ${file}\\)$`,
      ),
    ),
    expect.stringMatching(
      RegExp(
        `^No metrics: unable to write ${file}/cabe-observer-\\S+: a part of the path is not a folder \\(ENOTDIR\\); set TMPDIR to a folder that this user may write to, or mount one \\(docker run --tmpfs ${file}\\)$`,
      ),
    ),
  ]);
});

test('a folder whose path is too long for sockets is named: Node 20 would cut their paths', async () => {
  const TMPDIR = join(folder(), 'long'.repeat(25));
  const { warnings, code } = await serviceIn({ TMPDIR, RUN_DIR: folder() });
  expect(code).toBe(0);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^No metrics: the path of \S+worker-0-\d+\.sock has \d+ bytes, a socket's may have 100; set TMPDIR to a shorter path$/,
    ),
  ]);
});

(canMount() ? describe : describe.skip)('with a file system of its own', () => {
  test.each([
    ['ro', 'its file system is read-only (EROFS)'],
    ['nr_inodes=1', 'no space or no inode is left on its file system (ENOSPC)'],
  ])('%s: the service runs and says that %s', async (options, cause) => {
    const TMPDIR = folder();
    const { warnings, code } = await serviceIn({ TMPDIR }, mounting(TMPDIR, options));
    expect(code).toBe(0);
    expect(warnings).toEqual([
      expect.stringContaining(`${cause}; set RUN_DIR`),
      expect.stringContaining(`${cause}; set TMPDIR`),
    ]);
  });

  test('a memory file system that is full: heartbeats go to the folder for temporary files', async () => {
    const launcher = mounting('/dev/shm', 'size=4k');
    const running = start(
      [CLUSTER],
      { PORT: String(await freePort()), WEB_CONCURRENCY: '1' },
      ROOT,
      launcher,
    );
    await running.said(/HTTP server started/);
    expect(running.text()).not.toContain('Hung workers are not noticed');
    running.kill();
    expect(await running.ended).toMatchObject({ code: 0 });
  });
});
