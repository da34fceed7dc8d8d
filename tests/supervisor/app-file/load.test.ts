import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
import { FOLLOWED } from '../../../src/supervisor/app-file/fields.js';
import { fieldWarnings } from '../../../src/supervisor/app-file/unfollowed.js';
import { NotData } from '../../../src/supervisor/app-file/data.js';
import type { AppFile } from '../../../src/supervisor/app-file/read.js';
import { ROOT } from '../../support/processes.js';

/** The part of PM2's own code that reads the apps of a file. */
interface Pm2Common {
  verifyConfs(apps: readonly object[]): Record<string, unknown>[] | Error;
  mergeEnvironmentVariables(app: object, envName: string | undefined, deploy: object): object;
  readonly sink: { determineExecMode(app: object | undefined): void };
}

const SCHEMA = require('pm2/lib/API/schema.json') as Record<
  string,
  { readonly type: string | string[]; readonly alias?: string | string[] }
>;

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

const loadApp = (file: AppFile, request: LoadRequest): LoadedApp<Checked> =>
  loadChecked(file, request, () => ({ invalid: [], warnings: [] }));

/** As it would have been read: `content` stands for what the file exports. */
const found = (content: unknown, at = folder()): AppFile => ({
  path: join(at, 'ecosystem.config.js'),
  found: { content },
  printed: [],
});

const appOf = (fields: object): object => ({ script: './app.js', exec_mode: 'cluster', ...fields });

function load(fields: object, request: Partial<LoadRequest> = {}, at = folder()): LoadedApp<Checked> {
  return loadApp(found({ apps: [appOf(fields)] }, at), { shell: {}, ...request });
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
    namespace: 'default',
    runAs: undefined,
    sourceMaps: undefined,
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
    ['port', 0],
    ['port', 65_536],
    ['uid', -1],
    ['uid', 2 ** 31],
    ['gid', 33],
    ['interpreter', '/bin/sh'],
    ['autostart', false],
    ['source_map_support', 'yes'],
    ['watch_options', 'polling'],
    ['watch_options', { interval: 'often' }],
  ])('%s: %p is refused with its name, what was got, and what is allowed', (name, value) => {
    expect(refusal({ [name]: value })).toContain(`ecosystem.config.js: ${name} must be `);
    expect(refusal({ [name]: value })).toContain(`got ${JSON.stringify(value)}`);
  });
});

describe("what is empty is not set, as PM2's own code has it", () => {
  const { verifyConfs } = require('pm2/lib/Common.js') as Pm2Common;
  const named = { script: './app.js', exec_mode: 'cluster' };
  const [plain = {}] = verifyConfs([{ ...named }]) as Record<string, unknown>[];
  const fields = Object.keys(FOLLOWED).filter(name => !['script', 'exec_mode'].includes(name));
  const withoutEmpty = (value: unknown): unknown => [value || undefined].flat()[0];
  beforeEach(() => jest.spyOn(console, 'log').mockImplementation());
  afterEach(() => jest.restoreAllMocks());

  test.each(fields.flatMap(name => [[name, null] as const, [name, ''] as const]))('%s: %j', (name, empty) => {
    const { app, warnings } = load({ [name]: empty, cwd: ROOT, script: './package.json' });
    const expected = load({ cwd: ROOT, script: './package.json' });
    const isAll = name === 'instances' && empty === '';
    const { instances } = expected.app;
    expect({ app: { ...app, file: '' }, warnings }).toEqual({
      app: { ...expected.app, file: '', instances: isAll ? 0 : instances },
      warnings: expected.warnings,
    });
    const read = verifyConfs([{ ...named, [name]: empty }]);
    // PM2 refuses an empty text for a flag whose name is one word.
    const isRefused = empty === '' && SCHEMA[name]?.type === 'boolean' && !name.includes('_');
    const [own = {}] = isRefused ? [plain] : (read as Record<string, unknown>[]);
    expect(read instanceof Error).toBe(isRefused);
    const pm2Name = name === 'interpreter' ? 'exec_interpreter' : name;
    expect([withoutEmpty(own[pm2Name]), own['instances']]).toEqual([
      withoutEmpty(plain[pm2Name]),
      isAll ? 0 : plain['instances'],
    ]);
  });

  test('also in a field that is not followed, an environment, a list of exit codes, and options', () => {
    const { app, warnings } = load({
      uid: null,
      out_file: '',
      env: null,
      env_production: '',
      stop_exit_codes: ['', null, 3],
      killTimeout: 7,
      kill_timeout: '',
      watch: true,
      watch_options: { interval: null, cwd: null },
    });
    expect(app).toMatchObject({ env: {}, watch: { options: {} } });
    expect(app.policy).toMatchObject({ stopExitCodes: [3], killTimeoutMs: 7 });
    expect(warnings).toEqual([]);
    expect(load({ env_production: null }, { envName: 'production' }).warnings).toEqual([]);
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
    /ecosystem\.config\.js: cwd must be a folder that exists and can be entered, got ".*\/(missing|app\.js)"$/,
  );
});

test('a cwd whose name is too long for the system is refused', () => {
  expect(refusal({ cwd: 'x'.repeat(300) })).toMatch(
    /: cwd must be a folder that exists and can be entered, got ".*x{300}"/,
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

test("what PM2's daemon takes from its shell is taken from the supervisor's", () => {
  const { app } = load(
    {},
    {
      shell: {
        PM2_KILL_USE_MESSAGE: 'true',
        PM2_KILL_TIMEOUT: '5000',
        PM2_GRACEFUL_LISTEN_TIMEOUT: '9000',
        PM2_PROCESS_INSTANCE_VAR: 'SEAT',
      },
    },
  );
  expect(app).toMatchObject({
    shutdownWithMessage: true,
    instanceVar: 'SEAT',
    policy: { killTimeoutMs: 5_000, listenTimeoutMs: 9_000 },
  });
});

test('a field of the app comes before the shell', () => {
  const shell = { PM2_KILL_TIMEOUT: '5000', PM2_GRACEFUL_LISTEN_TIMEOUT: '' };
  const { app } = load({ kill_timeout: 700 }, { shell });
  expect(app.policy).toMatchObject({ killTimeoutMs: 700, listenTimeoutMs: 3_000 });
});

test.each(['PM2_KILL_TIMEOUT', 'PM2_GRACEFUL_LISTEN_TIMEOUT'])('%s must be a time', name => {
  for (const text of ['0', '5s', '-1', '1.5'])
    expect(() => load({}, { shell: { [name]: text } })).toThrow(
      `${name} must be a whole number of milliseconds, at least 1, got "${text}"`,
    );
});

describe('port', () => {
  const portOf = (fields: object, request: Partial<LoadRequest> = {}): string | undefined =>
    load({ port: 7_001, ...fields }, { shell: { PORT: '1' }, ...request }).app.env['PORT'];

  test('overrides the shell and env', () => {
    expect(portOf({})).toBe('7001');
    expect(portOf({ port: '7002', env: { PORT: 2 } })).toBe('7002');
  });

  test('is overridden by env_NAME', () => {
    expect(portOf({ env_other: { PORT: 3 } }, { envName: 'other' })).toBe('3');
  });
});

describe('interpreter', () => {
  test('may be a path or a link to the Node that runs the supervisor', () => {
    const at = folder();
    symlinkSync(process.execPath, join(at, 'link'));
    for (const interpreter of ['node', process.execPath, './link'])
      expect(load({ interpreter }, {}, at).warnings).toEqual([]);
  });

  test('that is another Node, or missing, is refused with the cure', () => {
    for (const exec_interpreter of ['/no/such/node', 'nodejs'])
      expect(refusal({ exec_interpreter })).toContain(
        `interpreter must be 'node', or the Node that runs this supervisor (${process.execPath}); start the supervisor with another one, or use PM2 for another program, got "${exec_interpreter}"`,
      );
  });
});

test.each([
  [{}, undefined],
  [{ source_map_support: true }, true],
  [{ source_map_support: false }, false],
  [{ disable_source_map_support: true }, false],
  [{ disable_source_map_support: true, source_map_support: true }, false],
])('source maps with %j: %p', (fields, sourceMaps) => {
  expect(load(fields).app.sourceMaps).toBe(sourceMaps);
});

test('variables of a PM2 that runs the supervisor do not reach its workers', () => {
  const ofPm2 = { pm_id: '3', pm_cwd: '/', name: 'outer', restart_time: '7', axm_options: '{}' };
  expect(load({}, { shell: { ...ofPm2, COLOUR: 'red' } }).app.env).toEqual({ COLOUR: 'red' });
  expect(load({}, { shell: { name: 'mine' } }).app.env).toEqual({ name: 'mine' });
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
  write('export {};', script, at);
  if (manifest !== undefined) write(manifest, 'package.json', at);
  expect(load({ script: `./${script}` }, {}, at)).toMatchObject({
    app: { script: join(at, script), name: 'app' },
    warnings: [],
  });
});

test('all problems are reported together', () => {
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
    expect(warned({ vizion: false, force: true })).toEqual([
      'vizion is not followed by the native supervisor',
      'force is not followed by the native supervisor',
    ]);
  });

  test('a field that asks for what is so anyway is no news, and one that asks for something else is', () => {
    expect(warned({ merge_logs: true, combine_logs: true, pmx: false, automation: false })).toEqual([]);
    expect(warned({ merge_logs: false, pmx: true })).toEqual([
      'merge_logs not followed: logs go to standard output',
      'pmx is not followed by the native supervisor',
    ]);
    expect(warned({ vizion: false, kill_retry_time: 5, windowsHide: true })).toEqual(
      ['vizion', 'kill_retry_time', 'windowsHide'].map(
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

  test.each(['max', 'shutdown', 'x'])('a field that is nothing like a known one gets no advice: %s', name => {
    expect(warned({ [name]: 5 })).toEqual([`${name} is not a field of an app file`]);
  });

  test("every field of PM2's is known", () => {
    const names = Object.entries(SCHEMA).flatMap(([name, { alias = [] }]) => [name, alias].flat());
    const unknown = names
      .filter(name => !name.startsWith('^'))
      .filter(name => fieldWarnings({ [name]: '1' }).some(text => text.includes('is not a field')));
    expect(unknown).toEqual([]);
  });

  test.each([
    [
      'ecosystem.config.mjs',
      (app: object) => ({ default: { apps: [app] } }),
      /^PM2 does not read the default export of ecosystem\.config\.mjs/,
    ],
    [
      'apps.cjs',
      (app: object) => ({ apps: [app] }),
      /^PM2 takes apps\.cjs for a program: .* ends in \.config\.cjs$/,
    ],
  ])('what PM2 would not take for an app file is said: %s', (name, content, sentence) => {
    const file = { ...found(content(appOf({ name: 'x' }))), path: join(folder(), name) };
    const { app, warnings } = loadApp(file, { shell: {} });
    expect([app.name, warnings]).toEqual(['x', [expect.stringMatching(sentence)]]);
  });

  test('an --env that does not exist is said', () => {
    expect(load({}, { envName: 'staging' }).warnings).toEqual([
      '--env staging: the app file has no env_staging',
    ]);
  });

  test.each([
    [{}, true],
    [{ instances: -2 }, true],
    [{ instances: null }, true],
    [{ instances: 1 }, false],
    [{ instances: -1 }, false],
    [{ instances: '-1' }, false],
    [{ instances: 'max' }, false],
    [{ instances: '' }, false],
    [{ exec_mode: '', instances: 2 }, false],
    [{ exec_mode: 'cluster' }, false],
  ])('without exec_mode, what PM2 would fork is said: %j %s', (fields, isSaid) => {
    expect(warned({ exec_mode: undefined, ...fields })).toEqual(
      isSaid ? ['exec_mode is not set: PM2 runs this app in fork mode, this supervisor in cluster mode'] : [],
    );
    const conf = { script: './app.js', exec_interpreter: 'node', ...fields };
    const { verifyConfs, sink } = require('pm2/lib/Common.js') as Pm2Common;
    const [app] = verifyConfs([conf]) as Record<string, unknown>[];
    sink.determineExecMode(app);
    expect(app?.['exec_mode']).toBe(isSaid ? 'fork_mode' : 'cluster_mode');
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

  test('has the variables of a deployment over env and under env_NAME, as under PM2', () => {
    const content = {
      apps: [appOf({ env: { B: 'env' }, env_production: { D: 'production' } })],
      deploy: { production: { env: { B: 'deployed', C: 'deployed', D: 'deployed' } }, staging: {} },
    };
    const loaded = (envName: string) => loadApp(found(content), { shell: { C: 'shell' }, envName });
    expect(loaded('production')).toMatchObject({
      app: { env: { B: 'deployed', C: 'deployed', D: 'production' } },
      warnings: [],
    });
    expect(loaded('staging')).toMatchObject({
      app: { env: { B: 'env', C: 'shell' } },
      warnings: ['--env staging: the app file has no env_staging'],
    });
    const alone = { ...appOf({}), deploy: { production: { env: { A: new NotData('a function') } } } };
    expect(loadApp(found(alone), { shell: {} }).warnings).toEqual([]);
    expect(() => loadApp(found({ default: new NotData('a Map') }), { shell: {} })).toThrow('got "a Map"');
    expect(() => loadApp(found(alone), { shell: {}, envName: 'production' })).toThrow(
      /ecosystem\.config\.js: deploy\.production\.env\.A must be data: .*, got "a function"$/,
    );
  });

  test('holds texts: objects become JSON', () => {
    expect(envOf({ env: { N: 1, T: true, O: { a: [1] }, X: null } })).toEqual({
      N: '1',
      T: 'true',
      O: '{"a":[1]}',
    });
  });

  test('differs from PM2 in two values, as docs/parity.md says', () => {
    const { mergeEnvironmentVariables } = require('pm2/lib/Common.js') as Pm2Common;
    const env = { NOTHING: null, SINCE: new Date(0) };
    expect(mergeEnvironmentVariables({ env }, undefined, {})).toMatchObject({
      NOTHING: 'null',
      SINCE: '"1970-01-01T00:00:00.000Z"',
    });
    // A date has become a text where the file was read.
    expect(envOf({ env: { ...env, SINCE: env.SINCE.toJSON() } })).toEqual({
      SINCE: '1970-01-01T00:00:00.000Z',
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

  test('does not hand on what another supervisor has set for a worker, but any other variable with such a name', () => {
    const shell = { CABE_LISTENER_OFFER: '1', CABE_CONTROL_SOCKET: '/tmp/own.sock', CABE_SLOT: '7' };
    expect(envOf({}, { shell: { ...shell, CABE_DATABASE: 'arena' } })).toEqual({ CABE_DATABASE: 'arena' });
  });
});

describe('the file', () => {
  const app = { script: './app.js', name: 'x' };

  test.each([
    ['{ apps: [...] }', { apps: [app] }],
    ['{ pm2: [...] }', { pm2: [app] }],
    ['a list', [app]],
    ['one app', app],
  ])('may be %s', (_name, content) => {
    expect(loadApp(found(content), { shell: {} }).app.name).toBe('x');
  });

  test('with several apps asks for one of them, by name', () => {
    const several = found([
      { name: 'a', script: './app.js' },
      { name: 'b', script: './app.js' },
    ]);
    expect(() => loadApp(several, { shell: {} })).toThrow(
      '--only must be the name of one app of ecosystem.config.js: a, b, got nothing',
    );
    expect(() => loadApp(several, { shell: {}, only: 'c' })).toThrow('got "c"');
    expect(loadApp(several, { shell: {}, only: 'b' }).app.name).toBe('b');
    const nameless = found([{ script: './app.js' }, { name: 'b', exec: './b.js' }]);
    expect(loadApp(nameless, { shell: {}, only: 'app' }).app.name).toBe('app');
    expect(() => loadApp(nameless, { shell: {}, only: 'c' })).toThrow(/: app, b, got "c"$/);
  });

  test('decides the folder, wherever the command is given', () => {
    const at = folder();
    mkdirSync(join(at, 'sub'));
    writeFileSync(join(at, 'sub', 'app.js'), '');
    expect(load({ script: 'app.js', cwd: './sub' }, {}, at).app).toMatchObject({
      cwd: join(at, 'sub'),
      script: join(at, 'sub', 'app.js'),
    });
  });

  test('that describes nothing is refused with its path', () => {
    expect(() => loadApp(found({ apps: [] }), { shell: {} })).toThrow(
      /\/ecosystem\.config\.js must be a description of an app, got nothing$/,
    );
  });

  test('is refused where something in the app is no data, with its place and kind', () => {
    const content = {
      apps: [appOf({ env: { CALL: new NotData('a function') }, args: [1, new NotData('a Map')] })],
    };
    expect(() => loadApp(found(content), { shell: {} })).toThrow(
      'ecosystem.config.js: env.CALL must be data: a text, a number, true, false, a list or a plain object, ' +
        'got "a function"; ecosystem.config.js: args[1] must be data: a text, a number, true, false, a list or a plain object, got "a Map"',
    );
    expect(() => loadApp(found(new NotData('a function')), { shell: {} })).toThrow(
      'must be a description of an app, got "a function"',
    );
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
