/** `watch` and `ignore_watch` mean what they mean to PM2: held against the chokidar that PM2 itself brings. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { watch as chokidar } from 'chokidar';
import fc from 'fast-check';
import { patternWarnings, watchScope } from '../../../src/supervisor/app-file/watch-patterns.js';

interface Watcher {
  on(event: 'ready', call: () => void): unknown;
  getWatched(): Record<string, string[]>;
  close(): Promise<void>;
}

const pm2 = createRequire(require.resolve('pm2/package.json'))('chokidar') as {
  watch(paths: string | readonly string[], options: object): Watcher;
};

const FILES = [
  'app.js',
  'app.log',
  'docs/log',
  'logs/app.log',
  'logs/old/app.log',
  'src/login.js',
  'src/catalogs.js',
  'src/types.ts',
  'src/deep/er/b.js',
  'src (copy)/a.js',
  'test/a.js',
  'test/a.txt',
  'test/data/a.js',
];
const HIDDEN_FILES = ['.env', '.git/index', 'node_modules/pkg/index.js', 'src/.cache/x.js'];

const cwd = join(realpathSync(mkdtempSync(join(tmpdir(), 'watch-'))), 'my project');
for (const file of [...FILES, ...HIDDEN_FILES]) {
  mkdirSync(dirname(join(cwd, file)), { recursive: true });
  writeFileSync(join(cwd, file), '');
}
afterAll(() => rmSync(dirname(cwd), { recursive: true }));

/** The files that are watched, relative to `cwd`. */
async function filesOf(watcher: Watcher, keyOf: (folder: string) => string): Promise<string[]> {
  await new Promise<void>(resolve => watcher.on('ready', resolve));
  const found = Object.entries(watcher.getWatched()).flatMap(([folder, names]) =>
    names.map(name => join(keyOf(folder), name)),
  );
  await watcher.close();
  return found.filter(path => statSync(join(cwd, path), { throwIfNoEntry: false })?.isFile()).toSorted();
}

/** As PM2's Watcher.js calls chokidar. */
const watchedByPm2 = (watch: readonly string[], ignore: readonly string[] | undefined): Promise<string[]> => {
  const ignored = ignore ?? /[/\\]\.|node_modules/;
  return filesOf(pm2.watch(watch, { ignored, persistent: true, ignoreInitial: true, cwd }), folder => folder);
};

const watchedHere = (watch: readonly string[], ignore: readonly (string | RegExp)[]): Promise<string[]> => {
  const { roots, isIgnored } = watchScope({ cwd, watch, ignore });
  const watcher = chokidar([...roots], { ignored: isIgnored, ignoreInitial: true, cwd });
  return filesOf(watcher, folder => folder);
};

/** Without those that PM2 watches as soon as there is an `ignore_watch`. */
const withoutHidden = (files: readonly string[]): string[] =>
  files.filter(file => !HIDDEN_FILES.includes(file));

describe('ignore_watch', () => {
  test.each([
    [['logs/**']],
    [['logs']],
    [['./logs']],
    [['log']],
    [['*.log']],
    [['**/*.log']],
    [['test/*.js']],
    [['test/**/*.js', 'src']],
    [['src/{login,types}.*']],
    [['src (copy)']],
    [['../my project/logs']],
    [[join(cwd, 'logs')]],
    [['\\.git', 'test']],
    [['?pp.*']],
    [['!app.js']],
  ])('%j hides what PM2 hides', async ignore => {
    expect(await watchedHere(['.'], ignore)).toEqual(withoutHidden(await watchedByPm2(['.'], ignore)));
  });

  test('without it, both hide packages and what begins with a dot', async () => {
    expect(await watchedHere(['.'], [])).toEqual(await watchedByPm2(['.'], undefined));
    expect(await watchedHere(['.'], [])).toEqual(FILES.toSorted());
  });

  test('with it, only PM2 watches those', async () => {
    expect(await watchedByPm2(['.'], ['logs'])).toEqual(expect.arrayContaining(HIDDEN_FILES));
    expect(await watchedHere(['.'], ['logs'])).toEqual(
      FILES.filter(file => !file.startsWith('logs/')).toSorted(),
    );
  });

  test('a slash at the end means the same folder; to PM2, nothing', async () => {
    expect(await watchedHere(['.'], ['logs/'])).toEqual(await watchedHere(['.'], ['logs']));
    expect(await watchedByPm2(['.'], ['logs/'])).toContain('logs/app.log');
  });

  test('the name of the folder itself is no pattern', () => {
    const odd = join(cwd, '[id] (1)');
    const { isIgnored } = watchScope({ cwd: odd, watch: ['.'], ignore: ['logs/*.log'] });
    expect([join(odd, 'logs', 'app.log'), join(odd, 'app.log')].map(path => isIgnored(path))).toEqual([
      true,
      false,
    ]);
  });

  test('a regular expression looks at the whole path, with any flags', async () => {
    expect(await watchedHere(['.'], [/\.(js|ts|log)$/g])).toEqual(['docs/log', 'test/a.txt']);
  });
});

describe('watch', () => {
  test.each([
    [['src']],
    [['src/**/*.js']],
    [['src/*.js', 'test']],
    [['*.js']],
    [['**/*.js']],
    [['**']],
    [['./src/*.{js,ts}']],
    [['src/**', '!src/deep/**']],
    [['src', '!src/login.js']],
    [['src (copy)']],
    [['../my project/src']],
    [['app.js']],
    [['s*/login.js']],
    [['**/data']],
  ])('%j sees what PM2 sees', async watch => {
    expect(await watchedHere(watch, [])).toEqual(await watchedByPm2(watch, undefined));
  });

  test('what is named is watched, hidden or not; PM2 does not', async () => {
    expect(await watchedHere(['src', '.env', 'node_modules/pkg'], [])).toEqual(
      ['.env', 'node_modules/pkg/index.js', ...FILES.filter(file => file.startsWith('src/'))].toSorted(),
    );
    expect(await watchedByPm2(['.env'], undefined)).toEqual([]);
  });

  test('a folder in which nothing can match is not looked at', () => {
    const { isIgnored } = watchScope({ cwd, watch: ['*.js', 'src/**/*.js'], ignore: [] });
    const ignored = (name: string): boolean => isIgnored(join(cwd, name), statSync(join(cwd, name)));
    expect(['src', 'src/deep', 'src/deep/er'].filter(ignored)).toEqual([]);
    expect(['docs', 'test', 'test/data'].filter(ignored)).toEqual(['docs', 'test', 'test/data']);
  });
});

test('any patterns: what is watched is what PM2 watches', async () => {
  const part = fc.constantFrom(
    'src',
    'logs',
    'test',
    'deep',
    '*',
    '**',
    'a*',
    '*.js',
    '*.log',
    'log',
    '{src,test}',
  );
  const pattern = fc
    .tuple(fc.constantFrom('', './'), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([prefix, parts]) => `${prefix}${parts.join('/')}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(pattern, { minLength: 1, maxLength: 2 }),
      fc.array(pattern, { minLength: 1, maxLength: 2 }),
      async (watch, ignore) => {
        // With a missing folder, chokidar may report ready before it has looked at the others.
        fc.pre(watchScope({ cwd, watch, ignore }).roots.every(root => existsSync(root)));
        expect(await watchedHere(watch, ignore)).toEqual(withoutHidden(await watchedByPm2(watch, ignore)));
      },
    ),
    { seed: 20_261_126, numRuns: 60 },
  );
});

describe('a pattern that matches nothing is named', () => {
  test.each([
    [['.'], ['/var/log'], 'ignore_watch: "/var/log" ignores nothing; /var/log is not watched'],
    [['src'], ['logs'], `ignore_watch: "logs" ignores nothing; ${join(cwd, 'logs')} is not watched`],
    [['.'], ['!src'], 'ignore_watch: "!src" ignores nothing; exceptions have no meaning here'],
    [['.'], ['\\.log$'], 'ignore_watch: "\\.log$" ignores nothing; write a glob such as "**/*.log" instead'],
    [['.'], ['[\\/\\\\]\\./'], 'write a glob such as "**/*.log" instead of a regular expression'],
    [['.'], [/\.log$/], 'ignore_watch: /\\.log$/ ignores nothing under PM2, which loses regular expressions'],
    [['srcc'], [], `watch: ${join(cwd, 'srcc')} does not exist, so "srcc" watches nothing for now`],
    [['srcc/**'], [], `watch: ${join(cwd, 'srcc')} does not exist, so "srcc/**" watches nothing for now`],
  ])('%j, ignoring %j', (watch, ignore, sentence) => {
    const warnings = patternWarnings({ cwd, watch, ignore });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(sentence);
  });

  test('others are not', () => {
    const ignore = ['logs', 'not-yet/**', '*.log', '\\.git', '../my project/logs', 'src (copy)'];
    expect(patternWarnings({ cwd, watch: ['.', 'src/**/*.js', '!src/deep'], ignore })).toEqual([]);
  });
});
