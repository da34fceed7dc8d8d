/** What an app file may do while it is read: nothing of it reaches the service, or the output of a command. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Status } from '../../src/supervisor/report/status.js';
import { withoutDescriptors } from '../support/descriptors.js';
import { cleanUp, CLUSTER, folder, isAlive, ROOT, start, until, type Running } from '../support/processes.js';
import { appFile, control, IDLE, IDLE_FIELDS, serving, statusOf } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const LOOPS = "require('fs').writeFileSync(__dirname + '/reader.pid', String(process.pid)); for (;;);";

const FAILING = [
  [
    'ends its process',
    'process.exit(0);',
    /must be an app file that can be evaluated to its end, got "exit code 0"$/,
  ],
  ['ends it with a code', 'process.exit(3);', /evaluated to its end, got "exit code 3"$/],
  ['throws', "throw new Error('oh no');", /must be an app file in JavaScript, got "oh no"$/],
  ['rejects a promise', "Promise.reject(new Error('oh no'));", /got "oh no"$/],
  ['fails asynchronously', "(async () => { throw new Error('oh no'); })();", /got "oh no"$/],
  ['exports a function', 'module.exports = () => 1;', /must be a description of an app, got "a function"$/],
] as const;

const HARMLESS = [
  ['throws later', "setTimeout(() => { throw new Error('late'); }, 100);"],
  ['takes away all listeners', 'process.removeAllListeners();'],
  ['listens to signals', "for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => 0);"],
  ['prints', "console.log('printed {'); console.error('warned');"],
] as const;

interface Served {
  readonly file: string;
  readonly env: Record<string, string>;
  readonly running: Running;
  /** The text that describes the app. */
  readonly described: string;
}

async function served(): Promise<Served> {
  const file = appFile(IDLE, IDLE_FIELDS);
  const env = { RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file], env);
  await until(async () => (await serving({ env }).catch(() => [])).length === 1, 'it serves');
  return { file, env, running, described: readFileSync(file, 'utf8') };
}

async function command(env: Record<string, string>, ...args: string[]) {
  const given = start([CLUSTER, ...args], env);
  let out = '';
  given.child.stdout?.on('data', (chunk: string) => (out += chunk));
  const { code } = await given.ended;
  return { code, out, text: given.text() };
}

/** The pid of the process that evaluates an endless file. */
async function readerOf(file: string): Promise<number> {
  const [at, name] = [dirname(file), 'reader.pid'];
  await until(
    () => readdirSync(at).includes(name) && readFileSync(join(at, name), 'utf8') !== '',
    'it is read',
  );
  return Number(readFileSync(join(at, name), 'utf8'));
}

test.each(FAILING)('a file that %s keeps the service from starting', async (_what, content, sentence) => {
  const file = appFile(IDLE, IDLE_FIELDS);
  writeFileSync(file, `${readFileSync(file, 'utf8')}\n${content}`);
  const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
  expect(await running.ended).toEqual({ code: 5, signal: null });
  expect(running.lines).toHaveLength(1);
  expect(running.lines[0]).toMatchObject({ level: 60, msg: expect.stringMatching(sentence) });
});

test('a file that fails refuses the reload, and nothing changes', async () => {
  const { file, env, running, described } = await served();
  const before = await serving({ env });
  for (const [, content, sentence] of FAILING) {
    writeFileSync(file, `${described}\n${content}`);
    const { code, text } = await command(env, 'reload');
    expect([code, text.trimEnd()]).toEqual([1, expect.stringMatching(sentence)]);
    expect(await serving({ env })).toEqual(before);
  }
  writeFileSync(file, described);
  expect(await command(env, 'reload')).toMatchObject({ code: 0 });
  running.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 0, signal: null });
});

/* oxlint-disable jest/no-standalone-expect -- limits of another process are set on Linux only */
(process.platform === 'linux' ? test : test.skip)(
  'a reload without a free descriptor is refused, and nothing changes',
  async () => {
    const { env, running } = await served();
    const before = await serving({ env });
    await withoutDescriptors(running.pid, async () => {
      running.kill('SIGHUP');
      await running.said(
        /must be an app file that can be evaluated in a process of its own, got "spawn .* EMFILE"$/,
      );
    });
    expect(await serving({ env })).toEqual(before);
    expect(await command(env, 'reload')).toMatchObject({ code: 0 });
  },
);

test('the service reloads after anything else a file does, and is stopped by a signal as before', async () => {
  const { file, env, running, described } = await served();
  for (const [, content] of HARMLESS) {
    writeFileSync(file, `${described}\n${content}`);
    expect(await command(env, 'reload')).toMatchObject({ code: 0 });
  }
  expect(running.lines.filter(({ msg }) => /printed|warned/.test(msg))).toMatchObject([
    { level: 30, msg: `${basename(file)}: printed {` },
    { level: 40, msg: `${basename(file)}: warned` },
  ]);
  running.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 0, signal: null });
});

test('a variable that the file sets in its process is gone at the next reading', async () => {
  const { file, env, running } = await served();
  const program = `console.log('mine is ' + process.env.MINE); ${IDLE}`;
  writeFileSync(join(dirname(file), 'app.js'), program);
  for (const value of ['first', 'second']) {
    const app = { name: 'test-app', script: './app.js', exec_mode: 'cluster', ...IDLE_FIELDS };
    writeFileSync(
      file,
      `process.env.MINE ??= '${value}'; module.exports = { ...${JSON.stringify(app)}, env: { MINE: process.env.MINE } };`,
    );
    expect(await command(env, 'reload')).toMatchObject({ code: 0 });
    await running.said(new RegExp(`^mine is ${value}$`));
  }
});

/** A copy of the build that can be removed, as a deploy tool removes old releases. */
function release(): string {
  const at = folder();
  writeFileSync(join(at, 'package.json'), '{}');
  mkdirSync(join(at, 'dist'));
  for (const name of ['cluster.js', 'cluster.bundle.js', 'formats.bundle.js'])
    copyFileSync(join(dirname(CLUSTER), name), join(at, 'dist', name));
  return at;
}

test.each([
  ['apps.json', (app: object) => `\ufeff{ /* one */ apps: ${JSON.stringify([app])}, }`],
  ['apps.yml', (app: object) => `# one\napps:\n  - ${JSON.stringify(app)}`],
  ['ecosystem.config.mjs', (app: object) => `export const apps = ${JSON.stringify([app])};`],
])('the service starts from %s, and reloads when its own release is gone', async (name, textOf) => {
  const file = join(dirname(appFile(`console.log('it is ' + process.env.COLOUR); ${IDLE}`)), name);
  const described = (colour: string): object => ({
    name: 'test-app',
    script: './app.js',
    exec_mode: 'cluster',
    env: { COLOUR: colour },
    ...IDLE_FIELDS,
  });
  // At first without what makes its parser necessary.
  const plain = name.endsWith('.mjs') ? textOf : (app: object) => JSON.stringify([app]);
  writeFileSync(file, plain(described('red')));
  const at = release();
  const env = { RUN_DIR: folder() };
  const running = start([join(at, 'dist', 'cluster.js'), '--config', file], env);
  await until(async () => (await serving({ env }).catch(() => [])).length === 1, 'it serves');
  rmSync(at, { recursive: true });
  writeFileSync(file, textOf(described('blue')));
  expect(await command(env, 'reload')).toMatchObject({ code: 0 });
  await running.said(/^it is blue$/);
  expect(running.lines.filter(({ msg }) => msg.startsWith('it is '))).toHaveLength(2);
  expect(running.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

describe('problems and warnings are reported together', () => {
  const FIELDS = { ...IDLE_FIELDS, isntances: 2, vizion: false, kill_timeout: '3s', instances: 'many' };
  const PROBLEMS = [
    'ecosystem.config.js: instances must be a whole number from -1024 to 1024 (-1 = all CPUs but one) or \'max\', got "many"',
    'ecosystem.config.js: kill_timeout must be a whole number of milliseconds, at least 1, got "3s"',
  ];
  const WARNINGS = [
    'vizion is not followed by the native supervisor',
    'isntances is not a field of an app file; did you mean instances?',
  ];

  test('by check, as text and as JSON', async () => {
    const file = appFile(IDLE, FIELDS);
    const env = { RUN_DIR: folder() };
    const asText = await command(env, 'check', '--config', file);
    expect([asText.code, asText.out]).toEqual([
      5,
      [
        '✗ The service could not start',
        ...PROBLEMS.map(text => `  ${text}`),
        ...WARNINGS.map(text => `  warning   ${text}`),
        '',
      ].join('\n'),
    ]);
    const asJson = await command(env, 'check', '--json', '--config', file);
    expect(JSON.parse(asJson.out)).toEqual({ ok: false, problems: PROBLEMS, warnings: WARNINGS });
  });

  test('by start, with any log level', async () => {
    const env = { RUN_DIR: folder(), LOG_LEVEL: 'fatal' };
    const running = start([CLUSTER, '--config', appFile(IDLE, FIELDS)], env);
    expect((await running.ended).code).toBe(5);
    expect(running.lines.map(({ level, msg }) => [level, msg])).toEqual([
      ...WARNINGS.map(msg => [40, msg]),
      [60, `Invalid configuration: ${PROBLEMS.join('; ')}`],
    ]);
  });

  test('by reload', async () => {
    const { file, env, running } = await served();
    const app = { name: 'test-app', script: './app.js', exec_mode: 'cluster', ...FIELDS };
    writeFileSync(file, `module.exports = ${JSON.stringify(app)}`);
    expect(await command(env, 'reload')).toMatchObject({ code: 1 });
    const msgs = running.lines.filter(({ level }) => Number(level) >= 40).map(({ msg }) => msg);
    expect(msgs).toEqual([
      ...WARNINGS,
      `Reload refused, nothing changes: Invalid configuration: ${PROBLEMS.join('; ')}`,
    ]);
  });

  test('a missing program is one of the problems, or has a sentence of its own', async () => {
    const check = async (fields: object): Promise<readonly string[]> => {
      const file = appFile(IDLE, { ...IDLE_FIELDS, script: './dist/main.js', vizion: false, ...fields });
      const { out } = await command({ RUN_DIR: folder() }, 'check', '--json', '--config', file);
      const { problems, warnings } = JSON.parse(out) as { problems: string[]; warnings: string[] };
      return [...problems, ...warnings].map(text => text.replaceAll(dirname(file), ''));
    };
    expect(await check({})).toEqual([
      '/dist/main.js does not exist; build it, or correct script or cwd in the app file',
      WARNINGS[0],
    ]);
    expect(await check({ kill_timeout: '3s' })).toEqual([
      PROBLEMS[1],
      'ecosystem.config.js: script must be a program that exists, got "/dist/main.js"',
      WARNINGS[0],
    ]);
  });

  test('our own program is built in our own way', async () => {
    const at = folder();
    for (const name of ['ecosystem.config.js', 'package.json'])
      copyFileSync(join(ROOT, name), join(at, name));
    const file = join(at, 'ecosystem.config.js');
    const { code, out } = await command({ RUN_DIR: folder() }, 'check', '--config', file);
    expect([code, out]).toEqual([
      5,
      `✗ The service could not start\n  ${join(at, 'dist', 'index.js')} does not exist; run "yarn build" (or "npm run build") first\n`,
    ]);
  });
});

describe('commands to a service that runs', () => {
  test.each(['RUN_DIR', 'its folder in TMPDIR'])('do not evaluate its file: found by %s', async found => {
    const file = appFile(IDLE, IDLE_FIELDS);
    const env: Record<string, string> = found === 'RUN_DIR' ? { RUN_DIR: folder() } : { TMPDIR: folder() };
    const running = start([CLUSTER, '--config', file], env);
    await running.said(/is online/);
    writeFileSync(file, LOOPS);
    await until(
      async () => (await command(env, 'status', '--json', '--config', file)).code === 0,
      'it is ready',
    );
    expect(await command(env, 'scale', '2', '--config', file)).toMatchObject({ code: 0 });
    expect(await command(env, 'stop', '--config', file)).toMatchObject({ code: 0 });
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(readdirSync(dirname(file))).not.toContain('reader.pid');
  });

  test('print what the file prints to standard error', async () => {
    const { file, env } = await served();
    writeFileSync(file, `console.log('{ "printed": true }'); ${readFileSync(file, 'utf8')}`);
    const status = await command(env, 'status', '--json', '--config', file);
    expect((JSON.parse(status.out) as Status).state).toBe('ready');
    const check = await command(env, 'check', '--json', '--config', file);
    expect(JSON.parse(check.out)).toMatchObject({ ok: true, app: 'test-app' });
    expect(check.text).toContain('{ "printed": true }\n');
  });
});

describe('a file that never ends', () => {
  test('refuses a reload after 10 s; status and requests are answered meanwhile', async () => {
    const { file, env, running } = await served();
    writeFileSync(file, LOOPS);
    const reload = command(env, 'reload');
    const reader = await readerOf(file);
    expect((await statusOf({ env })).state).toBe('ready');
    expect((await control({ env }, 'GET', '/status')).status).toBe(200);
    const { code, text } = await reload;
    expect([code, text.trimEnd()]).toEqual([
      1,
      expect.stringMatching(/must be an app file that is evaluated within 10 s, got "no result"$/),
    ]);
    expect(isAlive(reader)).toBe(false);
    expect(running.child.exitCode).toBeNull();
  });

  test('does not keep the service from being stopped while it is reloaded', async () => {
    const { file, env, running } = await served();
    writeFileSync(file, LOOPS);
    const reload = command(env, 'reload');
    const reader = await readerOf(file);
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(await reload).toMatchObject({ code: 1 });
    await until(() => !isAlive(reader), 'its process has ended');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'does not outlive a start that %s ends',
    async signal => {
      const file = appFile(IDLE, IDLE_FIELDS);
      writeFileSync(file, LOOPS);
      const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
      const reader = await readerOf(file);
      running.kill(signal);
      expect(await running.ended).toEqual({ code: null, signal });
      await until(() => !isAlive(reader), 'its process has ended');
    },
  );
});
