/**
 * Which modules a program loads: the supervisor stays small, and a broken app cannot end it. The build bundles its modules,
 * so the sources are run here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { cleanUp, CLUSTER, folder, freePort, ROOT, start, until } from './support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Makes a program record the modules that it has loaded, at its exit and on SIGUSR2. */
function recordModules(): {
  readonly env: Readonly<Record<string, string>>;
  readonly loaded: () => string[];
} {
  const at = folder();
  const [hook, record] = [join(at, 'hook.js'), join(at, 'record')];
  writeFileSync(record, '');
  writeFileSync(
    hook,
    `const isOther = require('node:cluster').isWorker || process.argv[1]?.endsWith('cluster.ts') !== true;
     const write = () => isOther || require('node:fs').writeFileSync(${JSON.stringify(record)}, Object.keys(require.cache).join('\\n') + '\\nend');
     process.on('exit', write).on('SIGUSR2', write);`,
  );
  return {
    env: { NODE_OPTIONS: `--require ${require.resolve('tsx/cjs')} --require ${hook}` },
    loaded: () => {
      const paths = readFileSync(record, 'utf8').split('\n');
      return paths.at(-1) === 'end' ? paths.slice(0, -1).map(path => relative(ROOT, path)) : [];
    },
  };
}

/** Express, its helpers, and our modules that answer requests. */
const OF_THE_WORKER =
  /node_modules\/(express|router|body-parser|proxy-addr)\/|(src|dist)\/(app|index)\.|(src|dist)\/(routes|http|fast-path)\//;
const OF_COMMANDS = /src\/commands\/(act|check|client|help|status|monit\/.*)\.ts/;
const ON_REQUEST =
  /node_modules\/(chokidar|croner|fastest-levenshtein|js-yaml|json5|picomatch|pino|pino-pretty|pm2)\//;

const SOURCE = join(ROOT, 'src', 'cluster.ts');

test('the supervisor loads no module of the worker, of the commands, or of unused options', async () => {
  const { env, loaded } = recordModules();
  const running = start([SOURCE], { ...env, PORT: String(await freePort()), RUN_DIR: folder() });
  await running.said(/HTTP server started/);
  running.kill('SIGUSR2');
  await until(() => loaded().length > 0, 'the record is written');
  expect(loaded()).toContain('src/supervisor/core/step.ts');
  for (const unwanted of [OF_THE_WORKER, OF_COMMANDS, ON_REQUEST])
    expect(loaded().filter(path => unwanted.test(path))).toEqual([]);
});

test.each([['help'], ['status'], ['reload'], ['check']])(
  '%s loads neither the service nor other commands',
  async command => {
    const { env, loaded } = recordModules();
    await start([SOURCE, command], { ...env, PORT: String(await freePort()), RUN_DIR: folder() }).ended;
    const own = command === 'reload' ? 'act' : command;
    expect(loaded()).toContain(`src/commands/${own}.ts`);
    expect(loaded().filter(path => OF_THE_WORKER.test(path) || ON_REQUEST.test(path))).toEqual([]);
    expect(loaded().filter(path => /supervisor\/(core|processes|supervisor\.ts)/.test(path))).toEqual([]);
    const others = ['act', 'check', 'help', 'status', 'monit/monit']
      .filter(name => name !== own)
      .map(name => `src/commands/${name}.ts`);
    expect(loaded().filter(path => others.includes(path))).toEqual([]);
  },
);

test('the bundles of the supervisor need no package but pino: it keeps running if its folder is replaced', () => {
  const requiredBy = (bundle: string): string[] =>
    [...readFileSync(join(dirname(CLUSTER), bundle), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)]
      .map(([, name]) => name ?? '')
      .filter(name => !isBuiltin(name));
  expect(new Set(requiredBy('cluster.bundle.js'))).toEqual(
    new Set(['pino', 'pino-pretty', './formats.bundle.js']),
  );
  expect(requiredBy('formats.bundle.js')).toEqual([]);
});
