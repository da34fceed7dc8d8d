/** The scripts of `package.json` in a fresh clone, with Node and npm only. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  cleanUp,
  folder,
  follow,
  freePort,
  request,
  ROOT,
  until,
  type Running,
} from './support/processes.js';

jest.setTimeout(60_000);

/**
 * A clone that uses the packages of this folder. Its npx and Yarn download and install nothing; they log their arguments.
 */
const CLONE = realpathSync(mkdtempSync(join(tmpdir(), 'cabe-clone-')));
const TOOLS = realpathSync(mkdtempSync(join(tmpdir(), 'cabe-tools-')));
const LOG = join(TOOLS, 'log');
const NPX = join(TOOLS, 'npx');

beforeAll(() => {
  const generated = new Set(['node_modules', 'dist', '.git', 'coverage', '.yarn']);
  cpSync(ROOT, CLONE, { recursive: true, filter: path => path === ROOT || !generated.has(basename(path)) });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'As cloned');
});
beforeEach(() => {
  for (const name of ['node_modules', 'dist']) rmSync(join(CLONE, name), { recursive: true, force: true });
  mkdirSync(join(CLONE, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter(entry => !entry.startsWith('.cabe-')))
    symlinkSync(join(ROOT, 'node_modules', name), join(CLONE, 'node_modules', name));
  const yarn = join(TOOLS, 'yarn.cjs');
  const program = `require('node:fs').appendFileSync(${JSON.stringify(LOG)}, 'yarn ' + process.argv.slice(2).join(' ') + '\\n');`;
  writeFileSync(yarn, program);
  writeFileSync(NPX, `#!/bin/sh\necho "npx $*" >>${LOG}\necho ${yarn}\n`, { mode: 0o755 });
  writeFileSync(LOG, '');
});
afterEach(async () => {
  for (const pid of processesInClone()) process.kill(pid, 'SIGKILL'); // leftovers of a failed test
  await cleanUp();
});
afterAll(() => {
  for (const path of [CLONE, TOOLS]) rmSync(path, { recursive: true, force: true });
});

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], {
    cwd: CLONE,
    encoding: 'utf8',
  });

async function npm(...args: string[]): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const env = {
    PATH: `${TOOLS}:${process.env['PATH'] ?? ''}`,
    HOME: TOOLS,
    NO_COLOR: '1',
    PORT: String(port),
    WEB_CONCURRENCY: '1',
    RUN_DIR: folder(),
    npm_config_update_notifier: 'false',
  };
  const child = spawn('npm', args, { cwd: CLONE, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  return Object.assign(follow(child), { port });
}

/** Every process whose working directory is the clone (Linux). */
const processesInClone = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === CLONE;
      } catch {
        return false; // not a process, not ours, or gone
      }
    });

async function expectNothingLeft(): Promise<void> {
  await until(() => processesInClone().length === 0, 'no process is left');
  expect(git('status', '--porcelain')).toBe('');
}

const SETS_UP = /^(Installing|Building)/;

describe('npm start', () => {
  test('installs and builds once, serves, passes on signals, and leaves no process behind', async () => {
    const first = await npm('start');
    await first.said(/^Installing the locked packages/);
    await first.said(/^Building/);
    await first.said(/HTTP server started/);
    expect(readFileSync(LOG, 'utf8')).toMatch(
      /^npx --yes --package=@yarnpkg\/cli-dist@[\d.]+ --call command -v yarn\nyarn install --immutable\n$/,
    );
    first.kill('SIGTERM');
    await first.said(/^All workers disconnected, master process exiting$/);
    await first.ended;
    await expectNothingLeft();

    const second = await npm('start');
    const { env } = await second.said(/HTTP server started/);
    second.kill('SIGTERM');
    await second.ended;
    await expectNothingLeft();
    expect(env).toBe('production');
    expect(second.lines.filter(({ msg }) => SETS_UP.test(msg))).toEqual([]);
  });

  test('without a registry reports that it is needed once, and starts nothing', async () => {
    writeFileSync(NPX, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const running = await npm('start');
    expect((await running.ended).code).toBe(1);
    expect(running.text()).toMatch(/The package registry must be reachable once/);
    expect(running.text()).not.toMatch(/Building|Master process/);
    await expectNothingLeft();
  });

  test('with a lockfile that does not fit reports what to do about it, and does not blame the registry', async () => {
    const program = "console.log('➤ YN0028: │ The lockfile would have been modified'); process.exitCode = 1;";
    writeFileSync(join(TOOLS, 'yarn.cjs'), program);
    const running = await npm('start');
    expect((await running.ended).code).toBe(1);
    expect(running.text()).toMatch(/YN0028[^]*Installing failed: yarn\.lock does not fit package\.json/);
    expect(running.text()).not.toMatch(/registry|Building/);
  });
});

test('npm run rename gives the project another name and port everywhere, and the lockfile still fits', async () => {
  try {
    const renaming = await npm('run', 'rename', 'my-api', '4001');
    expect((await renaming.ended).code).toBe(0);
    const { name } = JSON.parse(readFileSync(join(CLONE, 'package.json'), 'utf8')) as { name: string };
    expect(name).toBe('my-api');
    expect(readFileSync(join(CLONE, 'yarn.lock'), 'utf8')).toContain('"my-api@workspace:."');
    expect(readFileSync(join(CLONE, 'src', 'protocol', 'limits.ts'), 'utf8')).toContain('port: 4001,');
    expect(readFileSync(join(CLONE, 'README.md'), 'utf8')).toContain('http://localhost:4001/health');
    expect(spawnSync('git', ['grep', '-l', 'cabe-arena-api'], { cwd: CLONE, encoding: 'utf8' }).stdout).toBe(
      '',
    );
  } finally {
    git('checkout', '--quiet', '.');
  }
});

test('npm test sets up what is missing, passes its arguments to Jest, and exits with its exit code', async () => {
  const first = await npm('test', '--', '--listTests', 'tests/app');
  expect((await first.ended).code).toBe(0);
  expect(first.lines.filter(({ msg }) => SETS_UP.test(msg))).toHaveLength(2);
  expect(first.text()).toContain(join(CLONE, 'tests', 'app.test.ts'));
  const second = await npm('test', '--', 'no-such-test');
  expect((await second.ended).code).toBe(1);
  expect(second.lines.filter(({ msg }) => SETS_UP.test(msg))).toEqual([]);
  await expectNothingLeft();
});

test.each([
  ['Ctrl-C', (pid: number) => process.kill(-pid, 'SIGINT')],
  ['SIGTERM', (pid: number) => process.kill(pid, 'SIGTERM')],
])('npm run dev:cluster ends with %s, and so does its compiler', async (_name, end) => {
  const running = await npm('run', 'dev:cluster');
  await running.said(/HTTP server started/);
  await running.said(/Watching for file changes/);
  end(running.pid);
  await running.ended;
  await expectNothingLeft();
  // The sources may have changed since its compiler wrote the modules.
  expect(existsSync(join(CLONE, 'dist', '.built'))).toBe(false);
});

test('npm run dev:cluster serves edited sources without a build', async () => {
  const source = join(CLONE, 'src', 'routes', 'status.ts');
  const before = readFileSync(source, 'utf8');
  const running = await npm('run', 'dev:cluster');
  try {
    await running.said(/Watching for file changes/);
    await running.said(/HTTP server started/);
    writeFileSync(source, before.replace('API is running', 'API is edited'));
    await until(
      async () =>
        (await request(running.port, '/api/status').catch(() => undefined))?.text.includes(
          'API is edited',
        ) === true,
      'the edit is served',
      40_000,
    );
  } finally {
    writeFileSync(source, before);
    process.kill(-running.pid, 'SIGINT');
    await running.ended;
  }
  await expectNothingLeft();
});

test('the service that fills the compile cache ends with a build that is killed, and leaves nothing behind', async () => {
  const temporary = folder();
  const [program, file] = ['warm-up.cjs', 'warm-up.config.cjs'].map(name => join(ROOT, 'scripts', name));
  const fork = `require('node:child_process').fork(${JSON.stringify(program)}, ['--config', ${JSON.stringify(file)}], { execArgv: [] })`;
  const build = follow(
    spawn(process.execPath, ['-e', fork], {
      env: { PATH: process.env['PATH'], TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  );
  await build.said(/^Listening on /);
  expect(readdirSync(temporary)).not.toEqual([]);
  build.child.kill('SIGKILL');
  await build.said(/^All workers disconnected, master process exiting$/);
  await build.ended; // once no process writes to its output any more
  expect(readdirSync(temporary)).toEqual([]);
});

describe('run.cjs', () => {
  /** A script that runs this program and exits with its exit code. */
  const running = (program: string): Running =>
    follow(
      spawn(
        process.execPath,
        [
          '-e',
          `require(${JSON.stringify(join(ROOT, 'scripts', 'run.cjs'))})
             .run(process.execPath, ['-e', ${JSON.stringify(program)}]).then(code => process.exit(code));`,
        ],
        { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
      ),
    );

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'passes on %s and waits for its command',
    async signal => {
      const script = running(
        `process.on('${signal}', () => { console.log('received'); setTimeout(() => process.exit(7), 200); }); console.log('listening'); setInterval(() => 0, 1000);`,
      );
      await script.said(/^listening$/);
      script.kill(signal);
      await script.said(/^received$/);
      expect(await script.ended).toEqual({ code: 7, signal: null });
    },
  );

  test('exits as a shell does when a signal kills its command', async () => {
    expect((await running(`process.kill(process.pid, 'SIGKILL')`).ended).code).toBe(137);
  });
});

test.each(['start:worker', 'start:cluster'])(
  'yarn %s also runs if npx has called Yarn, whose shell has no exec',
  script => {
    const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/yarn.cjs', script], {
      cwd: ROOT,
      env: { ...process.env, npm_command: 'exec', PORT: 'abc', RUN_DIR: folder() },
      encoding: 'utf8',
    });
    expect(stdout + stderr).toContain('Invalid configuration: PORT must be a whole number from 0 to 65535');
    expect(status).toBe(5);
  },
);
