/** How commands and a supervisor find each other, and what is said where they cannot. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { appFile, IDLE, IDLE_FIELDS, messages, stateIn, statusOf } from '../support/service.js';
import {
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  start,
  until,
  WORKER,
  type Running,
} from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** A service that meets its commands in a folder of its own making. */
async function unnamed(file: string, env: Record<string, string>, ...more: string[]): Promise<Running> {
  const running = start([CLUSTER, '--config', file, ...more], env);
  await until(async () => {
    const status = start([CLUSTER, 'status', '--json', '--config', file, ...more], env);
    await status.ended;
    return stateIn(status.text()) === 'ready';
  }, 'it serves');
  return running;
}

describe('a service whose app file has changed since', () => {
  const command = async (env: Record<string, string>, ...args: string[]) => {
    const given = start([CLUSTER, ...args], env);
    const { code } = await given.ended;
    return { code, text: given.text() };
  };

  test.each([
    ['is no program any more', () => 'module.exports = {'],
    ['says another name', (text: string) => text.replace('test-app', 'renamed')],
    ['cannot be used', (text: string) => text.replace('"min_uptime":100', '"min_uptime":"soon"')],
    ['is gone', () => undefined],
  ] as [string, (text: string) => string | undefined][])(
    'is asked and stopped as before: it %s',
    async (_name, change) => {
      const env = { TMPDIR: folder() };
      const file = appFile(IDLE, IDLE_FIELDS);
      const running = await unnamed(file, env);
      const changed = change(readFileSync(file, 'utf8'));
      if (changed === undefined) rmSync(file);
      else writeFileSync(file, changed);
      const status = await command(env, 'status', '--config', file);
      expect(status).toMatchObject({ code: 0, text: expect.stringMatching(/^✓ test-app ready: 1 of 1/) });
      expect(await command(env, 'stop', '--config', file)).toMatchObject({ code: 0 });
      expect(await running.ended).toEqual({ code: 0, signal: null });
    },
  );

  test('is asked and stopped with any environment of the shell', async () => {
    const env = { TMPDIR: folder() };
    const file = appFile(IDLE, IDLE_FIELDS);
    const running = await unnamed(file, env);
    const odd = { ...env, PORT: 'abc', LOG_LEVEL: 'loud', WEB_CONCURRENCY: '0' };
    expect(await command(odd, 'scale', '2', '--config', file)).toMatchObject({ code: 0 });
    expect(await command(odd, 'stop', '--config', file)).toMatchObject({ code: 0 });
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('is stopped in a folder with a line end in its name', async () => {
    const env = { TMPDIR: folder() };
    const own = join(folder(), 'odd\nname');
    mkdirSync(own);
    for (const name of ['ecosystem.config.js', 'app.js'])
      copyFileSync(join(dirname(appFile(IDLE, IDLE_FIELDS)), name), join(own, name));
    const file = join(own, 'ecosystem.config.js');
    const running = await unnamed(file, env);
    expect(await command(env, 'stop', '--config', file)).toMatchObject({ code: 0 });
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('is found among the services of its file by its name', async () => {
    const env = { TMPDIR: folder() };
    const file = appFile(IDLE);
    const entry = { ...IDLE_FIELDS, script: './app.js', exec_mode: 'cluster' };
    const both = [
      { ...entry, name: 'a' },
      { ...entry, name: 'b' },
    ];
    writeFileSync(file, `module.exports = ${JSON.stringify(both)}`);
    const a = await unnamed(file, env, '--only', 'a');
    expect(await command(env, 'stop', '--only', 'b', '--config', file)).toEqual({
      code: 1,
      text: expect.stringMatching(
        /^No supervisor runs this service: nothing listens at .*\/b-.*\/supervisor\.sock; if it was started with RUN_DIR, set it here, too\n$/,
      ),
    });
    const b = await unnamed(file, env, '--only', 'b');
    writeFileSync(file, 'module.exports = {');
    expect(await command(env, 'stop', '--config', file)).toEqual({
      code: 5,
      text: 'Invalid configuration: --only must be one of the services of ecosystem.config.js that run: a, b, got nothing\n',
    });
    expect(await command(env, 'stop', '--only', 'b', '--config', file)).toMatchObject({ code: 0 });
    expect(await b.ended).toEqual({ code: 0, signal: null });
    expect(await command(env, 'status', '--config', file)).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^✓ a ready/),
    });
    a.kill();
    await a.ended;
  });

  test('and that does not run, where there is no folder for temporary files: no service is found', async () => {
    const nowhere = { TMPDIR: join(folder(), 'nowhere') };
    expect(await command(nowhere, 'status', '--config', appFile(IDLE))).toEqual({
      code: 1,
      text: expect.stringMatching(/^No supervisor runs this service: nothing listens at .*\n$/),
    });
  });

  test('and that does not run: the problems of the file are reported', async () => {
    const file = appFile(IDLE);
    writeFileSync(file, 'module.exports = {');
    expect(await command({ TMPDIR: folder() }, 'status', '--config', file)).toMatchObject({
      code: 5,
      text: expect.stringContaining('must be an app file in JavaScript'),
    });
  });
});

describe('another service than the one that is meant', () => {
  const describeApps = (file: string, ...names: readonly string[]): void => {
    const entry = { ...IDLE_FIELDS, script: './app.js', exec_mode: 'cluster' };
    writeFileSync(file, `module.exports = ${JSON.stringify(names.map(name => ({ ...entry, name })))}`);
  };
  const command = async (env: Record<string, string>, ...args: string[]) => {
    const given = start([CLUSTER, ...args], env, folder());
    const { code } = await given.ended;
    return { code, text: given.text() };
  };

  test('is left alone by every command where RUN_DIR leads to it, and both are named', async () => {
    const env = { RUN_DIR: folder() };
    const [file, other] = [appFile(IDLE), appFile(IDLE)];
    describeApps(file, 'a', 'b');
    const a = await unnamed(file, env, '--only', 'a');
    const isA = `Nothing was done: the service at ${env.RUN_DIR}/supervisor.sock is "a" of ${file}`;
    const cure = 'correct RUN_DIR, --only or --config\n';
    for (const action of [['status'], ['reload'], ['scale', '2'], ['stop']]) {
      const byName = await command(env, ...action, '--only', 'b');
      expect(byName).toEqual({ code: 1, text: `${isA}, not "b"; ${cure}` });
      const byFile = await command(env, ...action, '--config', other);
      expect(byFile).toEqual({ code: 1, text: `${isA}, not ${other}; ${cure}` });
    }
    expect(await statusOf({ env })).toMatchObject({ app: 'a', file, generation: 1, wanted: 1 });

    const link = join(folder(), 'link.config.js');
    symlinkSync(file, link);
    expect(await command(env, 'status', '--only', 'a', '--config', link)).toMatchObject({ code: 0 });
    expect(await command(env, 'stop')).toMatchObject({ code: 0 });
    expect(await a.ended).toEqual({ code: 0, signal: null });
  });

  test('is left alone where both names make the same folder', async () => {
    const env = { TMPDIR: folder() };
    const file = appFile(IDLE);
    describeApps(file, 'a b', 'a-b');
    const running = await unnamed(file, env, '--only', 'a b');
    expect(await command(env, 'stop', '--only', 'a-b', '--config', file)).toMatchObject({
      code: 1,
      text: expect.stringContaining(`is "a b" of ${file}, not "a-b" of ${file};`),
    });
    expect(await command(env, 'stop', '--only', 'a b', '--config', file)).toMatchObject({ code: 0 });
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('is named by a start with its RUN_DIR', async () => {
    const env = { RUN_DIR: folder() };
    const [file, other] = [appFile(IDLE, IDLE_FIELDS), appFile(IDLE, IDLE_FIELDS)];
    const running = await unnamed(file, env);
    const second = start([CLUSTER, '--config', other], env);
    expect((await second.ended).code).toBe(1);
    expect(messages(second)).toEqual([
      `RUN_DIR is in use by another service: "test-app" of ${file} (pid ${running.pid}, ${env.RUN_DIR}/supervisor.sock); give each service a RUN_DIR of its own`,
    ]);
    const again = start([CLUSTER, '--config', file], env);
    await again.ended;
    expect(messages(again)).toEqual([
      expect.stringMatching(/^A supervisor of this service is already running/),
    ]);
    running.kill();
    await running.ended;
  });
});

describe('the run directory', () => {
  const foldersIn = (at: string): string[] => readdirSync(at).filter(name => name.startsWith('test-app-'));

  test('is removed with the service that made it', async () => {
    const env = { TMPDIR: folder() };
    const running = await unnamed(appFile(IDLE, IDLE_FIELDS), env);
    expect(foldersIn(env.TMPDIR)).toHaveLength(1);
    running.kill();
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(foldersIn(env.TMPDIR)).toEqual([]);
  });

  test('stays if RUN_DIR names it, and if it holds other files', async () => {
    const env = { RUN_DIR: folder() };
    const named = await unnamed(appFile(IDLE, IDLE_FIELDS), env);
    named.kill();
    await named.ended;
    expect(existsSync(env.RUN_DIR)).toBe(true);

    const at = folder();
    const running = await unnamed(appFile(IDLE, IDLE_FIELDS), { TMPDIR: at });
    const [found = ''] = foldersIn(at);
    writeFileSync(join(at, found, 'note'), '');
    running.kill();
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(readdirSync(join(at, found))).toEqual(['note']);
  });

  test('is made again when the service before has removed it while this one starts', async () => {
    const at = folder();
    const removes = join(at, 'removes.js');
    writeFileSync(
      removes,
      `const fs = require('node:fs');
       const { writeFileSync } = fs;
       fs.writeFileSync = (path, ...rest) => {
         if (String(path).endsWith('supervisor.pid')) {
           fs.writeFileSync = writeFileSync;
           fs.rmdirSync(require('node:path').dirname(path));
         }
         return writeFileSync(path, ...rest);
       };`,
    );
    const env = { TMPDIR: at, NODE_OPTIONS: `--require ${removes}` };
    const running = await unnamed(appFile(IDLE, IDLE_FIELDS), env);
    expect(running.text()).not.toContain('Commands cannot reach');
    running.kill();
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });
});

test('a user without a name is a user', async () => {
  const at = folder();
  const nameless = join(at, 'nameless.js');
  writeFileSync(
    nameless,
    `require('node:os').userInfo = () => { throw new Error('ENOENT: no such file or directory, uv_os_get_passwd'); };`,
  );
  const running = await unnamed(appFile(IDLE, IDLE_FIELDS), {
    TMPDIR: at,
    NODE_OPTIONS: `--require ${nameless}`,
  });
  expect(readdirSync(at).filter(name => /^test-app-\d+-[0-9a-f]{8}$/.test(name))).toHaveLength(1);
  running.kill();
  expect(await running.ended).toEqual({ code: 0, signal: null });
});

describe('RUN_DIR', () => {
  const verdict = async (RUN_DIR: string, command: 'start' | 'check') => {
    const running = start([CLUSTER, command, '--config', appFile(IDLE, IDLE_FIELDS)], { RUN_DIR });
    const { code } = await running.ended;
    return { code, text: running.text().replaceAll(String.raw`\"`, '"') };
  };

  test.each(['start', 'check'] as const)('that others can write to is refused by %s', async command => {
    const at = folder();
    const open = join(at, 'open');
    mkdirSync(open);
    chmodSync(open, 0o1777);
    symlinkSync(folder(), join(at, 'link'));
    writeFileSync(join(at, 'file'), '');
    const long = join(at, 'x'.repeat(100));
    for (const [path, expected] of [
      [open, `a folder that only you can write to (${open} is writable by other users)`],
      [`${at}/link/`, `a folder that only you can write to (${join(at, 'link')} is a symbolic link)`],
      [join(at, 'file'), `a folder that only you can write to (${join(at, 'file')} is not a folder)`],
      [long, `a folder with a shorter path: that of ${long}/supervisor.sock has `],
    ] as const) {
      const { code, text } = await verdict(path, command);
      expect(text).toContain(`RUN_DIR must be ${expected}`);
      expect(text).toContain(`got "${path}"`);
      expect(code).toBe(5);
    }
    expect(statSync(open).mode & 0o7777).toBe(0o1777);
    expect(existsSync(long)).toBe(false);
  });

  test('that is there already keeps its mode', async () => {
    const env = { RUN_DIR: folder() };
    chmodSync(env.RUN_DIR, 0o750);
    const running = await unnamed(appFile(IDLE, IDLE_FIELDS), env);
    expect(statSync(env.RUN_DIR).mode & 0o777).toBe(0o750);
    running.kill();
    await running.ended;
  });
});

test('all problems of file, environment and folder are reported together', async () => {
  const at = folder();
  chmodSync(at, 0o777);
  const file = appFile('', { script: WORKER, kill_timeout: '3s' });
  const running = start([CLUSTER, 'check', '--config', file], {
    PORT: 'abc',
    DRAIN_TIMEOUT_MS: '1',
    PM2_KILL_SIGNAL: 'SIGFOO',
    RUN_DIR: at,
  });
  expect((await running.ended).code).toBe(5);
  expect(messages(running).map(line => line.trim().split(' ')[0])).toEqual([
    '✗',
    'PM2_KILL_SIGNAL',
    'ecosystem.config.js:',
    'PORT',
    'DRAIN_TIMEOUT_MS',
    'RUN_DIR',
  ]);
});

test('variables that another app may interpret itself are left to it, with a warning', async () => {
  const file = appFile(`console.log(process.env.LOG_LEVEL, process.env.WEB_CONCURRENCY); ${IDLE}`, {
    ...IDLE_FIELDS,
    env: { LOG_LEVEL: 'verbose', WEB_CONCURRENCY: 'auto', NODE_ENV: 'staging' },
  });
  const running = await unnamed(file, { RUN_DIR: folder() });
  expect(messages(running)).toContain('verbose auto');
  expect(running.lines.filter(({ level }) => level === 40).map(({ msg }) => msg)).toEqual([
    'LOG_LEVEL=verbose is left to the app: the supervisor does without it',
    'WEB_CONCURRENCY=auto is left to the app: the supervisor does without it',
  ]);
  running.kill();
  await running.ended;
});

/** A program that hides `/proc` from the one that is started with it: a system such as macOS. */
function withoutProc(): string {
  const program = join(folder(), 'without-proc.js');
  writeFileSync(
    program,
    `const fs = require('node:fs');
     const { readFileSync } = fs;
     fs.readFileSync = (path, ...rest) => {
       if (String(path).startsWith('/proc/')) throw new Error('ENOENT');
       return readFileSync(path, ...rest);
     };`,
  );
  return program;
}

test('where the system does not show the usage of a worker, our own worker reports it', async () => {
  const env = { PORT: String(await freePort()), WEB_CONCURRENCY: '1', RUN_DIR: folder() };
  const running = start(['--require', withoutProc(), CLUSTER], env);
  await running.said(/HTTP server started/);
  const usage = async (): Promise<unknown> => (await statusOf({ env })).workers[0]?.memory;
  expect(await usage()).toBeNull();
  await until(async () => typeof (await usage()) === 'number', 'it has reported');
  expect(running.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

test('where neither the system nor the app shows the memory of a worker, a warning says so', async () => {
  const without = withoutProc();
  const check = async (fields: object): Promise<string> => {
    const running = start(['--require', without, CLUSTER, 'check', '--config', appFile(IDLE, fields)]);
    await running.ended;
    return running.text();
  };
  expect(await check({ max_memory_restart: '1G' })).toMatch(
    /✓ App file and environment are valid, with 1 warning\n[\s\S]*warning +max_memory_restart is not followed: the memory of a worker is read from \/proc/,
  );
  expect(await check({})).not.toContain('warning');
});

describe('in development, errors are readable, too', () => {
  const READABLE = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] FATAL: .*PORT must be .*, got "abc"\n$/;
  const env = { PORT: 'abc', NO_COLOR: '1', RUN_DIR: '' };

  test('from the supervisor', async () => {
    const running = start([CLUSTER, '--env', 'development'], env);
    expect((await running.ended).code).toBe(5);
    expect(running.text()).toMatch(READABLE);
  });

  test('from the supervisor of an app file that is broken', async () => {
    const file = appFile(IDLE);
    writeFileSync(file, 'module.exports = {');
    const running = start([CLUSTER, '--env', 'development', '--config', file], { NO_COLOR: '1' });
    expect((await running.ended).code).toBe(5);
    expect(running.text()).toMatch(
      /^\[.*\] FATAL: Invalid configuration: .*must be an app file in JavaScript/,
    );
  });

  test('that pino-pretty is missing, which the supervisor says for all', async () => {
    const without = join(folder(), 'without-pino-pretty.js');
    writeFileSync(
      without,
      `const Module = require('node:module');
       const { _resolveFilename } = Module;
       Module._resolveFilename = function (name, ...rest) {
         if (name === 'pino-pretty') throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' });
         return _resolveFilename.call(this, name, ...rest);
       };`,
    );
    const running = start([CLUSTER, '--env', 'development'], {
      PORT: String(await freePort()),
      WEB_CONCURRENCY: '2',
      RUN_DIR: folder(),
      NODE_OPTIONS: `--require ${without}`,
    });
    await until(
      () => messages(running).filter(line => line.includes('HTTP server started')).length === 2,
      'both workers serve',
    );
    running.kill();
    await running.ended;
    expect(running.lines.filter(({ msg }) => msg.startsWith('pino-pretty is not installed'))).toEqual([
      expect.objectContaining({ pid: running.pid, level: 40 }),
    ]);
  });

  test('from the worker', async () => {
    const running = start([WORKER], { ...env, NODE_ENV: 'development' });
    expect((await running.ended).code).toBe(5);
    expect(running.text()).toMatch(READABLE);
  });
});
