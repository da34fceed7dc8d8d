/** How an app file is read: what becomes of its content, and of everything else that it does. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { decode, encode, NotData } from '../../../src/supervisor/app-file/data.js';
import type { EvaluateOptions } from '../../../src/supervisor/app-file/evaluate.js';
import { loadApp, type Checked, type LoadedApp } from '../../../src/supervisor/app-file/load.js';
import { isAppFileName, readAppFile, type AppFile } from '../../../src/supervisor/app-file/read.js';
import { APP_FILE, isAlive, until } from '../../support/processes.js';

const folders: string[] = [];
afterAll(() => folders.forEach(path => rmSync(path, { recursive: true })));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cabe-read-'));
  folders.push(path);
  return path;
}

function write(content: string, name = 'ecosystem.config.js', at = folder()): string {
  writeFileSync(join(at, name), content);
  return join(at, name);
}

const read = (content: string, options?: EvaluateOptions): Promise<AppFile> =>
  readAppFile(write(content), options);

/** A list in a list in a list. */
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** A part that stands in the content 10^9 times. */
function multiplied(value = '[x]', levels = 9): string {
  const lines = Array.from({ length: levels }, (_, n) => `b${n}: &b${n + 1} [${`*b${n},`.repeat(10)}]`);
  return [`a: &b0 ${value}`, ...lines].join('\n');
}

describe('the content', () => {
  test('is what the file exports, with the values that JSON has not', async () => {
    const { found, printed } = await read(
      `module.exports = { apps: [{ list: ['a', 1, null, true], nan: NaN, big: 10n, re: /a\\/b/gi,
         date: new Date(0), url: new URL('http://a/'), gone: undefined, bare: Object.create(null) }] }`,
    );
    expect(found).toEqual({
      content: {
        apps: [
          {
            list: ['a', 1, null, true],
            nan: NaN,
            big: 10n,
            re: /a\/b/gi,
            date: '1970-01-01T00:00:00.000Z',
            url: 'http://a/',
            bare: {},
          },
        ],
      },
    });
    expect(printed).toEqual([]);
  });

  test.each([
    ['() => 1', 'a function'],
    ['Symbol()', 'a symbol'],
    ['new Map()', 'a Map'],
    ['new (class Settings {})()', 'a Settings'],
    ['Promise.resolve()', 'a Promise'],
    ['(() => { const a = {}; return (a.a = a); })()', 'a reference to itself'],
  ])('is no data where it is %s', async (value, what) => {
    const { found } = await read(`module.exports = { value: ${value} };`);
    const { value: got } = (found as { content: { value: { a?: unknown } } }).content;
    expect(got.a ?? got).toEqual(new NotData(what));
  });

  test('comes through unchanged, for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), text => expect(decode(encode(JSON.parse(text)))).toEqual(JSON.parse(text))),
    );
  });

  test('is read anew each time, with what the file requires, also where a link leads elsewhere by then', async () => {
    const at = folder();
    write("module.exports = require('./number.js');", 'a.js', at);
    write('module.exports = 4;', 'b.js', at);
    const link = join(at, 'link.js');
    symlinkSync('a.js', link);
    const seen: unknown[] = [];
    for (const number of [2, 3]) {
      write(`module.exports = ${number};`, 'number.js', at);
      seen.push((await readAppFile(link)).found);
    }
    rmSync(link);
    symlinkSync('b.js', link);
    seen.push((await readAppFile(link)).found);
    expect(seen).toEqual([{ content: 2 }, { content: 3 }, { content: 4 }]);
  });

  const APPS = { apps: [{ script: './app.js', env: { COLOUR: 'red', SINCE: '2024-01-01T00:00:00.000Z' } }] };
  const JSON_TEXT = JSON.stringify(APPS);
  const YAML_TEXT = [
    'apps:',
    '  - script: ./app.js # the program',
    '    env: &env { COLOUR: red, SINCE: 2024-01-01 }',
  ].join('\n');
  const JSON5_TEXT = `{ // comments
    apps: [{ script: './app.js', env: { COLOUR: 'red', SINCE: "2024-01-01T00:00:00.000Z", }, }], /* commas */
  }`;

  test.each([
    ['apps.json', JSON_TEXT],
    ['apps.json', `\ufeff${JSON_TEXT}`],
    ['apps.json', JSON5_TEXT],
    ['apps.json5', JSON5_TEXT],
    ['apps.jsonc', JSON5_TEXT],
    ['ecosystem.config.json', JSON5_TEXT],
    ['apps.yaml', YAML_TEXT],
    ['apps.yml', `\ufeff${YAML_TEXT}`],
    ['apps.yaml', JSON_TEXT],
    ['ecosystem.config.mjs', `export const { apps } = ${JSON_TEXT};`],
    ['ecosystem.config.mjs', `import { dirname } from 'node:path'; export default ${JSON_TEXT};`],
    ['ecosystem.config.cjs', `module.exports = ${JSON_TEXT};`],
    ['ecosystem.config.js.new', `module.exports = ${JSON_TEXT};`],
  ])('may be written as %s: %s', async (name, text) => {
    const file = await readAppFile(write(text, name));
    expect(file.printed).toEqual([]);
    const { content } = file.found as { content: object };
    expect('default' in content ? content.default : { ...content }).toEqual(APPS);
  });

  test('in JavaScript may be an ES module by the package that it belongs to', async () => {
    const at = folder();
    write('{ "type": "module" }', 'package.json', at);
    const file = await readAppFile(write('export const apps = [];', 'ecosystem.config.js', at));
    expect(file).toMatchObject({ found: { content: { apps: [] } }, printed: [] });
  });

  test('in YAML may refer to itself, which is no data', async () => {
    const { found } = await readAppFile(write('apps: &a [*a]', 'apps.yaml'));
    expect(found).toEqual({ content: { apps: [new NotData('a reference to itself')] } });
  });

  test.each([
    'ecosystem.config.js',
    'ecosystem.config.mjs',
    'my.config.cjs',
    'apps.json',
    'apps.json5',
    'apps.yml',
    'apps.js',
    'apps.mjs',
    'apps.toml',
  ])('is recognised by its name as PM2 does: %s', name => {
    const { isConfigFile } = require('pm2/lib/Common.js') as { isConfigFile(name: string): string | null };
    expect(isAppFileName(join('/srv', name))).toBe(isConfigFile(name) !== null);
  });

  test('sees the environment, and keeps its changes to itself', async () => {
    const content = "process.env.MINE ??= 'old'; module.exports = process.env;";
    const env = { GIVEN: 'yes' };
    const { found } = await read(content, { env });
    expect(found).toMatchObject({ content: { GIVEN: 'yes', MINE: 'old' } });
    expect(env).toEqual({ GIVEN: 'yes' });
  });

  test('does not wait for a debugger that is meant for the supervisor', async () => {
    const env = { NODE_OPTIONS: '--inspect-brk=0 --max-old-space-size=100' };
    expect(await read('module.exports = process.env.NODE_OPTIONS;', { env })).toMatchObject({
      found: { content: ' --max-old-space-size=100' },
      printed: [],
    });
  });
});

describe('a file that is refused', () => {
  const ENDED = 'an app file that can be evaluated to its end';
  const JAVASCRIPT = 'an app file in JavaScript';

  test.each([
    ['ends its process', 'process.exit(0)', ENDED, 'exit code 0'],
    ['ends its process with a code', 'process.exit(3)', ENDED, 'exit code 3'],
    ['ends its process by a signal', "process.kill(process.pid, 'SIGTERM'); for (;;);", ENDED, 'SIGTERM'],
    ['takes away the listeners and fails', "process.removeAllListeners(); throw 'x'", ENDED, 'exit code 1'],
    ['throws', "throw new Error('oh no')", JAVASCRIPT, 'oh no'],
    ['throws nothing', 'throw undefined', JAVASCRIPT, 'undefined'],
    ['throws a frozen error', "throw Object.freeze(new Error('oh no'))", JAVASCRIPT, 'oh no'],
    ['throws a symbol', "throw Symbol('oh no')", JAVASCRIPT, 'Symbol(oh no)'],
    ['throws what has no text', 'throw Object.create(null)', JAVASCRIPT, 'an error that cannot be read'],
    [
      'throws a hostile error',
      'throw { get message() { throw 1 } }',
      JAVASCRIPT,
      'an error that cannot be read',
    ],
    ['is no JavaScript', 'module.exports = {', JAVASCRIPT, 'Unexpected end of input'],
    ['rejects a promise', "Promise.reject(new Error('oh no')); module.exports = 1", JAVASCRIPT, 'oh no'],
    [
      'calls an async function that fails',
      "(async () => { await 1; throw new Error('oh no'); })(); module.exports = 1",
      JAVASCRIPT,
      'oh no',
    ],
    [
      'has a getter that throws',
      "module.exports = { get a() { throw new Error('oh no'); } }",
      JAVASCRIPT,
      'oh no',
    ],
    [
      'writes to the descriptor of the result',
      "require('fs').writeSync(3, 'content [1\\n'); module.exports = 1",
      'an app file that leaves descriptor 3 alone',
      'content [1',
    ],
  ])('because it %s', async (_what, content, expected, got) => {
    expect((await read(content)).found).toEqual({ expected, got });
  });

  test('because it never ends; its process ends then', async () => {
    const at = folder();
    const content = "require('fs').writeFileSync(__dirname + '/pid', String(process.pid)); for (;;);";
    const { found } = await readAppFile(write(content, 'ecosystem.config.js', at), { deadlineMs: 1_500 });
    expect(found).toEqual({ expected: 'an app file that is evaluated within 1.5 s', got: 'no result' });
    const pid = Number(readFileSync(join(at, 'pid'), 'utf8'));
    await until(() => !isAlive(pid), 'its process has ended');
  });

  test.each([
    [
      'it is missing',
      join(tmpdir(), 'cabe-nowhere', 'ecosystem.config.js'),
      { expected: 'an app file such as ecosystem.config.js (--config names another)', got: 'no file' },
    ],
    [
      'it is of another kind',
      write('apps = []', 'apps.toml'),
      { expected: 'a .js, .cjs, .mjs, .json, .json5, .yaml or .yml file', got: '.toml' },
    ],
    [
      'it is no JSON',
      write('{ apps: [ }', 'apps.json'),
      { expected: 'an app file in JSON', got: "JSON5: invalid character '}' at 1:11" },
    ],
    [
      'it is no YAML',
      write('apps:\n  - a: 1\n b: [', 'apps.yaml'),
      { expected: 'an app file in YAML', got: 'bad indentation of a mapping entry (line 3, column 2)' },
    ],
    [
      'it is more than one YAML document',
      write('apps: []\n---\napps: []', 'apps.yaml'),
      {
        expected: 'an app file in YAML',
        got: 'expected a single document in the stream, but found more',
      },
    ],
    [
      'its JSON is nested too deeply',
      write(`{"apps":[{"env":{"A":${nested(50_000)}}}]}`, 'apps.json'),
      { expected: 'an app file in JSON', got: 'more than 100 levels of nesting' },
    ],
    [
      'its JavaScript is nested too deeply',
      write(`module.exports = ${nested(1_000)}`),
      { expected: 'an app file in JavaScript', got: 'more than 100 levels of nesting' },
    ],
    [
      'aliases make gigabytes of a few lines of YAML',
      write(multiplied(), 'apps.yaml'),
      { expected: 'an app file in YAML', got: 'more than 8 MB' },
    ],
    [
      'aliases multiply a long key',
      write(multiplied(`{ ? ${'k'.repeat(14_000)} : 1 }`, 4), 'apps.yaml'),
      { expected: 'an app file in YAML', got: 'more than 8 MB' },
    ],
  ])('because %s', async (_what, path, found) => {
    expect((await readAppFile(path)).found).toEqual(found);
  });
});

describe('besides its content', () => {
  test('what it prints is logged line by line, up to a limit', async () => {
    const { found, printed } = await read(
      "console.log('a\\n\\nb'); console.error('c'); process.stdout.write('d'); module.exports = 1;",
    );
    expect(found).toEqual({ content: 1 });
    expect(printed).toEqual([
      { level: 'info', msg: 'a' },
      { level: 'info', msg: 'b' },
      { level: 'info', msg: 'd' },
      { level: 'warn', msg: 'c' },
    ]);
    const { printed: many } = await read("require('fs').writeSync(1, 'a line\\n'.repeat(1e5));");
    expect(many.at(-1)?.msg).toBe('… and more');
    expect(many.length).toBeLessThan(20_000);
  });

  test.each([
    ['a failure that comes later', "setTimeout(() => { throw new Error('late'); }, 100)"],
    ['a timer', 'setInterval(() => 0, 1_000)'],
    ['listeners of its own', "process.removeAllListeners(); process.on('SIGTERM', () => 0)"],
    ['an own way to exit', 'process.exit = () => 0'],
  ])('%s changes nothing', async (_what, content) => {
    const before = process.listenerCount('SIGTERM');
    expect((await read(`${content}; module.exports = 1;`)).found).toEqual({ content: 1 });
    await until(() => process.listenerCount('SIGTERM') === before, 'nothing is left of it');
  });

  test('a process that it has started may keep its outputs', async () => {
    const at = folder();
    const sleeper = "require('fs').writeFileSync('pid', String(process.pid)); setInterval(() => 0, 1_000)";
    const content = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(sleeper)}],
      { cwd: __dirname, stdio: 'inherit', detached: true }).unref(); module.exports = 1;`;
    const { found } = await readAppFile(write(content, 'ecosystem.config.js', at));
    expect(found).toEqual({ content: 1 });
    await until(() => existsSync(join(at, 'pid')), 'it runs');
    process.kill(Number(readFileSync(join(at, 'pid'), 'utf8')));
  });
});

describe('our own app file', () => {
  async function own(shell: Record<string, string> = {}, envName?: string): Promise<LoadedApp<Checked>> {
    return loadApp(await readAppFile(APP_FILE, { env: shell }), { shell, envName }, () => ({
      invalid: [],
      warnings: [],
    }));
  }

  test('is followed in every field', async () => {
    expect((await own()).warnings).toEqual([]);
    expect((await own({}, 'development')).warnings).toEqual([]);
  });

  test('sets NODE_ENV, and nothing else that a user may set in the shell', async () => {
    const { app } = await own({ PORT: '1', NODE_ENV: 'test' });
    expect(app.env).toEqual({ PORT: '1', NODE_ENV: 'production' });
    expect((await own({}, 'development')).app.env).toEqual({ NODE_ENV: 'development' });
  });

  test.each([
    [{}, 11_000],
    [{ DRAIN_DELAY_MS: '5000', DRAIN_TIMEOUT_MS: '20000' }, 28_000],
    [{ DRAIN_DELAY_MS: 'soon' }, 11_000],
  ])('%p gives a worker a second more than its own drain needs', async (shell, expected) => {
    expect((await own(shell)).app.policy.killTimeoutMs).toBe(expected);
  });

  test.each([
    [{}, -1],
    [{ WEB_CONCURRENCY: '5' }, 5],
    [{ WEB_CONCURRENCY: '1024' }, 1024],
    [{ WEB_CONCURRENCY: '0' }, -1],
    // Only a worker refuses it under PM2: five thousand of them would each say so.
    [{ WEB_CONCURRENCY: '5000' }, -1],
    [{ WEB_CONCURRENCY: 'x' }, -1],
  ])('%p asks for all CPUs but one, or for WEB_CONCURRENCY', async (shell, expected) => {
    expect((await own(shell)).app.instances).toBe(expected);
  });
});
