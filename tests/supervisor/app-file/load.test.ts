import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readMemoryLimit } from '../../../src/platform/memory.js';
import {
  loadApp as loadChecked,
  type Checked,
  type DescribedApp,
  type LoadedApp,
  type LoadRequest,
} from '../../../src/supervisor/app-file/load.js';
import { APP_FILE, ROOT } from '../../support/processes.js';

const folders: string[] = [];
afterAll(() => folders.forEach(path => rmSync(path, { recursive: true })));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cabe-app-'));
  folders.push(path);
  writeFileSync(join(path, 'app.js'), '');
  return path;
}

function write(content: string, name = 'ecosystem.config.js', at = folder()): string {
  writeFileSync(join(at, name), content);
  return join(at, name);
}

const loadApp = (request: LoadRequest): LoadedApp<Checked> => loadChecked(request, () => ({ invalid: [] }));

const READER = join(ROOT, 'dist', 'supervisor', 'app-file', 'load.js');

/** Runs code in a process of its own: Jest has a module registry of its own and would not see a file change. */
function inNode(code: string, cwd: string): unknown {
  const prelude = `const loading = require(${JSON.stringify(READER)});
    const loadApp = request => loading.loadApp(request, () => ({ invalid: [] }));
    const print = value => process.stdout.write(JSON.stringify(value));`;
  return JSON.parse(
    execFileSync(process.execPath, ['-e', prelude + code], { cwd, encoding: 'utf8', env: {} }),
  );
}

const describeApp = (fields: object): string =>
  `module.exports = { apps: [${JSON.stringify({ script: './app.js', exec_mode: 'cluster', ...fields })}] };`;

function load(fields: object, request: Partial<LoadRequest> = {}): LoadedApp<Checked> {
  return loadApp({ file: write(describeApp(fields)), shell: {}, ...request });
}

const refusal = (fields: object): RegExp | string => {
  try {
    load(fields);
    return 'nothing is wrong';
  } catch (error) {
    return (error as Error).message;
  }
};

test("without any field, PM2's defaults hold", () => {
  const { app, warnings } = load({});
  expect(app).toMatchObject({
    name: 'app',
    script: join(app.cwd, 'app.js'),
    args: [],
    nodeArgs: [],
    instances: 1,
    instanceVar: 'NODE_APP_INSTANCE',
    incrementVar: undefined,
    shutdownWithMessage: false,
    killSignal: 'SIGINT',
    treekill: true,
    maxMemoryBytes: undefined,
    cronRestart: undefined,
    watch: undefined,
  });
  expect(app.policy).toEqual({
    waitReady: false,
    listenTimeoutMs: 3_000,
    killTimeoutMs: 1_600,
    minUptimeMs: 1_000,
    maxRestarts: 16,
    restartDelayMs: 0,
    expBackoffRestartDelayMs: 0,
    autorestart: true,
    isJob: false,
    stopExitCodes: [],
  });
  expect(warnings).toEqual([]);
});

describe('a field', () => {
  const policy = (fields: object): DescribedApp['policy'] => load(fields).app.policy;

  test.each([
    ['is taken', { kill_timeout: 500 }, { killTimeoutMs: 500 }],
    ['may be written in camelCase', { killTimeout: 500 }, { killTimeoutMs: 500 }],
    ['may be a number as a text', { kill_timeout: '500' }, { killTimeoutMs: 500 }],
    ['of time may have a unit', { min_uptime: '2m' }, { minUptimeMs: 120_000 }],
    ['of exit codes may be one', { stop_exit_codes: 7 }, { stopExitCodes: [7] }],
    ['of exit codes may be several', { stop_exit_codes: ['7', 0] }, { stopExitCodes: [7, 0] }],
  ])('%s', (_name, fields, expected) => {
    expect(policy(fields)).toMatchObject(expected);
  });

  test.each([
    [{ args: 'a \'b c\' "d e" --f=g' }, { args: ['a', 'b c', 'd e', '--f=g'] }],
    [{ args: ['a', 1] }, { args: ['a', '1'] }],
    [{ interpreter_args: '--max-old-space-size=200' }, { nodeArgs: ['--max-old-space-size=200'] }],
    [{ node_args: ['--trace-warnings'] }, { nodeArgs: ['--trace-warnings'] }],
    [{ instances: 'max' }, { instances: 0 }],
    [{ instances: '-2' }, { instances: -2 }],
    [{ max_memory_restart: '300M' }, { maxMemoryBytes: 314_572_800 }],
    [{ max_memory_restart: '500' }, { maxMemoryBytes: 500 }],
    [{ maxMemoryRestart: '1G' }, { maxMemoryBytes: 2 ** 30 }],
    [{ cron_restart: '0 3 * * *' }, { cronRestart: '0 3 * * *' }],
    [{ cron: '0' }, { cronRestart: undefined }],
    [{ instance_var: 'SEAT' }, { instanceVar: 'SEAT' }],
    [{ treekill: false }, { treekill: false }],
    [{ watch: true, ignore_watch: 'logs tmp' }, { watch: { watch: ['.'], ignore: ['logs', 'tmp'] } }],
    [{ watch: [], ignore_watch: ['logs', ''] }, { watch: { watch: ['.'], ignore: ['logs'] } }],
    [{ watch: 'src lib' }, { watch: { watch: ['src', 'lib'], ignore: [], delayMs: 1_000, options: {} } }],
    [
      { watch: true, watch_options: { usePolling: true, interval: 50, persistent: true } },
      { watch: { options: { usePolling: true, interval: 50 } } },
    ],
  ])('%p', (fields, expected) => {
    expect(load(fields).app).toMatchObject(expected);
  });

  test.each([
    ['instances', 'many'],
    ['instances', 1.5],
    ['kill_timeout', '3s'],
    ['restart_delay', -1],
    ['max_memory_restart', '300m'],
    ['max_memory_restart', '1.5G'],
    ['max_memory_restart', '300MB'],
    ['max_memory_restart', 0],
    ['max_memory_restart', '0%'],
    ['max_memory_restart', '100%'],
    ['max_memory_restart', '12.5%'],
    ['min_uptime', 50],
    ['max_restarts', 0],
    ['stop_exit_codes', [256]],
    ['wait_ready', 'yes'],
    ['env', 'A=1'],
    ['cron_restart', 'every day'],
    ['cron_restart', '0 0 ? * *'],
    ['ignore_watch', 5],
    ['watch_options', 'polling'],
    ['watch_options', { interval: 'often' }],
  ])('%s: %p is refused with its name, what was got, and what is allowed', (name, value) => {
    expect(refusal({ [name]: value })).toContain(`ecosystem.config.js: ${name} must be `);
    expect(refusal({ [name]: value })).toContain(`got ${JSON.stringify(value)}`);
  });
});

test.each([
  { args: ['a', 'b\0c'] },
  { node_args: '--title=a\0b' },
  { name: 'a\0b' },
  { instance_var: 'A\0' },
])('a NUL character is refused, as no process could be started with it: %j', fields => {
  expect(refusal(fields)).toMatch(/ must be a text without NUL characters, got /);
});

test('a NUL character in the environment is refused with the name of the variable', () => {
  expect(refusal({ env: { FINE: 'yes', TOKEN: 'a\0b' } })).toBe(
    String.raw`Invalid configuration: ecosystem.config.js: env.TOKEN must be a text without NUL characters, got "a\u0000b"`,
  );
});

test.each(['./missing', './app.js'])('a cwd that is no folder is refused: %s', cwd => {
  expect(refusal({ cwd, script: join(ROOT, 'package.json') })).toMatch(
    /ecosystem\.config\.js: cwd must be a folder that exists, got ".*\/(missing|app\.js)"$/,
  );
});

test('the signal that is the order to leave must be one', () => {
  const order = (name: string): string => load({}, { shell: { PM2_KILL_SIGNAL: name } }).app.killSignal;
  expect([order('SIGUSR2'), order('')]).toEqual(['SIGUSR2', 'SIGINT']);
  for (const name of ['SIGFOO', 'TERM', '15'])
    expect(() => order(name)).toThrow(
      `PM2_KILL_SIGNAL must be the name of a signal, such as SIGTERM, got "${name}"`,
    );
});

test('what only PM2 can run is refused with the cure', () => {
  expect(refusal({ exec_mode: 'fork' })).toMatch(/exec_mode must be 'cluster' \(fork mode needs PM2/);
  expect(refusal({ interpreter: 'python' })).toMatch(/interpreter must be 'node'/);
});

test.each([
  ['app.mjs', undefined],
  ['app.js', '{ "type": "module" }'],
])('a program may be an ES module: %s beside %s', (script, manifest) => {
  const at = folder();
  // The app file itself stays CommonJS, whatever the folder says.
  const file = write(describeApp({ script: `./${script}` }), 'ecosystem.config.cjs', at);
  write('export {};', script, at);
  if (manifest !== undefined) write(manifest, 'package.json', at);
  expect(loadApp({ file, shell: {} })).toMatchObject({
    app: { script: join(at, script), name: 'app' },
    warnings: [],
  });
});

test('all problems are told at once', () => {
  expect(refusal({ instances: 'x', kill_timeout: 'y', exec_mode: 'fork' })).toMatch(
    /instances.*"x".*kill_timeout.*"y".*exec_mode.*"fork"/,
  );
});

test('max_memory_restart may be a share of the memory limit, which PM2 refuses', () => {
  const { app, warnings } = load({ max_memory_restart: '80%' });
  expect(app.maxMemoryBytes).toBe(Math.floor(readMemoryLimit().bytes * 0.8));
  expect(warnings).toEqual([
    'max_memory_restart is a share of the memory limit: PM2 refuses an app file with such a value',
  ]);
});

describe('warnings', () => {
  const warned = (fields: object): readonly string[] => load(fields).warnings;

  test('a field that PM2 follows and this supervisor does not is named', () => {
    expect(warned({ vizion: false, uid: 33 })).toEqual([
      'vizion is not followed by the native supervisor',
      'uid is not followed by the native supervisor',
    ]);
  });

  test('a field that asks for what is so anyway is no news, and one that asks for something else is', () => {
    expect(warned({ merge_logs: true, combine_logs: true, pmx: false, automation: false })).toEqual([]);
    expect(warned({ merge_logs: false, pmx: true })).toEqual([
      'merge_logs not followed: logs go to standard output',
      'pmx is not followed by the native supervisor',
    ]);
    expect(warned({ vizion: false, namespace: 'x', kill_retry_time: 5, windowsHide: true })).toEqual(
      ['vizion', 'namespace', 'kill_retry_time', 'windowsHide'].map(
        name => `${name} is not followed by the native supervisor`,
      ),
    );
  });

  test('fields of log files are one line', () => {
    expect(warned({ out_file: 'a', errorFile: 'b', log_date_format: 'c' })).toEqual([
      'out_file, errorFile, log_date_format not followed: logs go to standard output',
    ]);
  });

  test('a misspelt field gets the nearest known name', () => {
    expect(warned({ kil_timeout: 5 })).toEqual([
      'kil_timeout is not a field of an app file; did you mean kill_timeout?',
    ]);
  });

  test('an exec_mode that is not set, and an --env that does not exist, are said', () => {
    const file = write("module.exports = { script: './app.js' };");
    expect(loadApp({ file, shell: {}, envName: 'staging' }).warnings).toEqual([
      'exec_mode is not set; running in cluster mode',
      '--env staging: the app file has no env_staging',
    ]);
  });
});

describe('the environment', () => {
  const envOf = (fields: object, request: Partial<LoadRequest> = {}): DescribedApp['env'] =>
    load(fields, request).app.env;

  test('is the shell, under env, under env_NAME: the file wins', () => {
    const fields = { env: { A: 'file', B: 'file' }, env_production: { B: 'production' } };
    const shell = { A: 'shell', B: 'shell', C: 'shell' };
    expect(envOf(fields, { shell })).toEqual({ A: 'file', B: 'file', C: 'shell' });
    expect(envOf(fields, { shell, envName: 'production' })).toEqual({
      A: 'file',
      B: 'production',
      C: 'shell',
    });
  });

  test('holds texts: objects become JSON', () => {
    expect(envOf({ env: { N: 1, T: true, O: { a: [1] }, X: null } })).toEqual({
      N: '1',
      T: 'true',
      O: '{"a":[1]}',
    });
  });

  test.each([
    [['SEC'], { KEEP: '1', PATH: '/bin' }],
    ['SECRET', { KEEP: '1', PATH: '/bin', MY_SECRET: '2' }],
    [true, { PATH: '/bin' }],
    [false, { KEEP: '1', PATH: '/bin', SECRET: '2', MY_SECRET: '2' }],
  ])('filter_env: %p keeps variables of the shell away', (filter, expected) => {
    const shell = { KEEP: '1', PATH: '/bin', SECRET: '2', MY_SECRET: '2' };
    expect(envOf({ filter_env: filter }, { shell })).toEqual(expected);
  });

  test('does not hand on what belongs to the supervisor alone', () => {
    expect(
      envOf({}, { shell: { LISTEN_FDS: '1', LISTEN_PID: '7', NODE_CHANNEL_FD: '3', NODE_UNIQUE_ID: '1' } }),
    ).toEqual({});
  });
});

describe('the file', () => {
  test.each([
    ['{ apps: [...] }', app => `module.exports = { apps: [${app}] }`],
    ['{ pm2: [...] }', app => `module.exports = { pm2: [${app}] }`],
    ['a list', app => `module.exports = [${app}]`],
    ['one app', app => `module.exports = ${app}`],
  ] as [string, (app: string) => string][])('may be %s', (_name, content) => {
    expect(loadApp({ file: write(content("{ script: './app.js', name: 'x' }")), shell: {} }).app.name).toBe(
      'x',
    );
  });

  test('may be JSON', () => {
    expect(
      loadApp({ file: write('{"apps":[{"script":"./app.js"}]}', 'apps.json'), shell: {} }).app.name,
    ).toBe('app');
  });

  test('with several apps asks for one of them, by name', () => {
    const file = write(
      "module.exports = [{ name: 'a', script: './app.js' }, { name: 'b', script: './app.js' }]",
    );
    expect(() => loadApp({ file, shell: {} })).toThrow(
      '--only must be the name of one app of ecosystem.config.js: a, b, got nothing',
    );
    expect(() => loadApp({ file, shell: {}, only: 'c' })).toThrow('got "c"');
    expect(loadApp({ file, shell: {}, only: 'b' }).app.name).toBe('b');
    const nameless = write("module.exports = [{ script: './app.js' }, { name: 'b', exec: './b.js' }]");
    expect(loadApp({ file: nameless, shell: {}, only: 'app' }).app.name).toBe('app');
    expect(() => loadApp({ file: nameless, shell: {}, only: 'c' })).toThrow(/: app, b, got "c"$/);
  });

  /** A folder with an app file that requires its number of workers. */
  function folderWithNumber(): string {
    const at = folder();
    write(
      "module.exports = { script: './app.js', instances: require('./number.js') }",
      'ecosystem.config.js',
      at,
    );
    return at;
  }

  test('is read anew each time, with what it requires', () => {
    const at = folderWithNumber();
    const seen = inNode(
      `const write = number => require('fs').writeFileSync('number.js', 'module.exports = ' + number);
       const read = () => loadApp({ file: process.cwd() + '/ecosystem.config.js', shell: {} }).app.instances;
       write(2); const first = read(); write(3); print([first, read()]);`,
      at,
    );
    expect(seen).toEqual([2, 3]);
  });

  test('is held in memory once, however often it is read', () => {
    const at = folderWithNumber();
    write('module.exports = 2', 'number.js', at);
    const held = inNode(
      `const reader = require.cache[require.resolve(${JSON.stringify(READER)})];
       const read = () => loadApp({ file: process.cwd() + '/ecosystem.config.js', shell: {} });
       for (let times = 0; times < 5; times++) read();
       print(reader.children.map(({ filename }) => filename).filter(name => name.startsWith(process.cwd())));`,
      at,
    );
    expect(held).toEqual([join(realpathSync(at), 'ecosystem.config.js')]);
  });

  test('behind a link is read anew, also when the link leads elsewhere by then', () => {
    const at = folder();
    const seen = inNode(
      `const fs = require('fs');
       const write = (name, number) =>
         fs.writeFileSync(name, "module.exports = { script: '" + process.cwd() + "/app.js', instances: " + number + ' }');
       const link = name => { fs.rmSync('link.js', { force: true }); fs.symlinkSync(name, 'link.js'); };
       const read = () => loadApp({ file: process.cwd() + '/link.js', shell: {} }).app.instances;
       write('a.js', 2); write('b.js', 4); link('a.js');
       const seen = [read()];
       write('a.js', 3); seen.push(read());
       link('b.js'); seen.push(read());
       print(seen);`,
      at,
    );
    expect(seen).toEqual([2, 3, 4]);
  });

  test('decides the folder, wherever the command is given', () => {
    const at = folder();
    mkdirSync(join(at, 'sub'));
    writeFileSync(join(at, 'sub', 'app.js'), '');
    const file = write("module.exports = { script: 'app.js', cwd: './sub' }", 'ecosystem.config.js', at);
    expect(loadApp({ file, shell: {} }).app).toMatchObject({
      cwd: join(at, 'sub'),
      script: join(at, 'sub', 'app.js'),
    });
  });

  test.each([
    [
      'that is missing',
      join(tmpdir(), 'cabe-nowhere', 'ecosystem.config.js'),
      /must be an app file such as ecosystem\.config\.js \(--config names another\), got "no file"/,
    ],
    ['that throws', write("throw new Error('oh no')"), /oh no/],
    ['that is no JavaScript', write('module.exports = {'), /must be an app file in JavaScript/],
    ['of another kind', write('apps: []', 'apps.yml'), /must be a .js, .cjs or .json file, got ".yml"/],
    [
      'an ES module',
      write('export const apps = [];', 'ecosystem.config.mjs'),
      /must be a CommonJS file: name it .cjs, with module.exports instead of export, got ".mjs"/,
    ],
    ['that describes nothing', write('module.exports = { apps: [] }'), /must be a description of an app/],
  ])('%s is refused with its path', (_name, file, expected) => {
    expect(() => loadApp({ file, shell: {} })).toThrow(expected);
    expect(() => loadApp({ file, shell: {} })).toThrow(expect.objectContaining({ exitCode: 5 }));
  });
});

describe('our own app file', () => {
  const own = (shell: Record<string, string> = {}, envName = ''): LoadedApp<Checked> =>
    inNode(
      `const shell = ${JSON.stringify(shell)};
       Object.assign(process.env, shell);
       print(loadApp({ file: ${JSON.stringify(APP_FILE)}, shell, envName: ${JSON.stringify(envName)} || undefined }));`,
      ROOT,
    ) as LoadedApp<Checked>;

  test('is followed in every field', () => {
    expect(own().warnings).toEqual([]);
    expect(own({}, 'development').warnings).toEqual([]);
  });

  test('sets NODE_ENV, and nothing else that a user may set in the shell', () => {
    expect(own({ PORT: '1', NODE_ENV: 'test' }).app.env).toEqual({ PORT: '1', NODE_ENV: 'production' });
    expect(own({}, 'development').app.env).toEqual({ NODE_ENV: 'development' });
  });

  test('without a build is one sentence natively', () => {
    const at = folder();
    copyFileSync(APP_FILE, join(at, 'ecosystem.config.js'));
    expect(() => loadApp({ file: join(at, 'ecosystem.config.js'), shell: {} })).toThrow(
      `${join(at, 'dist', 'index.js')} does not exist; run "yarn build" (or "npm run build") first`,
    );
  });

  test.each([
    [{}, 9_000],
    [{ DRAIN_DELAY_MS: '5000', DRAIN_TIMEOUT_MS: '20000' }, 26_000],
    [{ DRAIN_DELAY_MS: 'soon' }, 9_000],
  ])('%p gives a worker a second more than its own drain needs', (shell, expected) => {
    expect(own(shell).app.policy.killTimeoutMs).toBe(expected);
  });

  test.each([
    [{}, -1],
    [{ WEB_CONCURRENCY: '5' }, 5],
    [{ WEB_CONCURRENCY: '1024' }, 1024],
    [{ WEB_CONCURRENCY: '0' }, -1],
    // Nobody but a worker refuses it under PM2: five thousand of them would each say so.
    [{ WEB_CONCURRENCY: '5000' }, -1],
    [{ WEB_CONCURRENCY: 'x' }, -1],
  ])('%p asks for all CPUs but one, or for WEB_CONCURRENCY', (shell, expected) => {
    expect(own(shell).app.instances).toBe(expected);
  });
});

describe('the grammar of sizes and times', () => {
  test('every whole number with an upper-case unit is a size, and nothing else is', () => {
    const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4_096 }),
        fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
        (number, unit) => {
          expect(load({ max_memory_restart: `${number}${unit}` }).app.maxMemoryBytes).toBe(
            number * units[unit],
          );
        },
      ),
      { numRuns: 50 },
    );
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter(text => !/^\d+[GMK]?$|^\d\d?%$/.test(text)),
        text => {
          expect(refusal({ max_memory_restart: text })).toMatch(/max_memory_restart must be/);
        },
      ),
      { numRuns: 50 },
    );
  });
});
