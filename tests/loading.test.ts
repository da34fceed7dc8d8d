/** Who loads what: the supervisor stays light, and a broken app cannot take it down. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cleanUp, CLUSTER, folder, freePort, ROOT, start, until } from './support/processes.js';
import { service } from './support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Has a program note what it has loaded: when it ends, and on SIGUSR2. */
function noting(): { readonly env: Readonly<Record<string, string>>; readonly loaded: () => string[] } {
  const at = folder();
  const [hook, notes] = [join(at, 'hook.js'), join(at, 'notes')];
  writeFileSync(notes, '');
  writeFileSync(
    hook,
    `const note = () => require('node:cluster').isPrimary
       && require('node:fs').writeFileSync(${JSON.stringify(notes)}, Object.keys(require.cache).join('\\n') + '\\nend');
     process.on('exit', note).on('SIGUSR2', note);`,
  );
  return {
    env: { NODE_OPTIONS: `--require ${hook}` },
    loaded: () => {
      const paths = readFileSync(notes, 'utf8').split('\n');
      return paths.at(-1) === 'end' ? paths.slice(0, -1).map(path => relative(ROOT, path)) : [];
    },
  };
}

/** Express, its helpers, and everything that is only about answering requests. */
const OF_THE_WORKER =
  /node_modules\/(express|router|body-parser|proxy-addr)\/|dist\/(app|index)\.js|dist\/(routes|tuning)\//;
const OF_COMMANDS = /dist\/commands\/(act|check|client|help|status)\.js/;
const ON_REQUEST = /node_modules\/(chokidar|croner|pino-pretty|pm2)\//;

test('the supervisor loads nothing of the worker, of the commands, or of what nobody has asked for', async () => {
  const { env, loaded } = noting();
  const running = await service({ workers: 1, env });
  running.kill('SIGUSR2');
  await until(() => loaded().length > 0, 'it has noted what it has loaded');
  expect(loaded()).toContain('dist/supervisor/step.js');
  for (const heavy of [OF_THE_WORKER, OF_COMMANDS, ON_REQUEST])
    expect(loaded().filter(path => heavy.test(path))).toEqual([]);
});

test.each([['help'], ['status'], ['reload'], ['check']])(
  '%s loads neither the service nor other commands',
  async command => {
    const { env, loaded } = noting();
    await start([CLUSTER, command], { ...env, PORT: String(await freePort()), RUN_DIR: folder() }).ended;
    const own = command === 'reload' ? 'act' : command;
    expect(loaded()).toContain(`dist/commands/${own}.js`);
    expect(loaded().filter(path => OF_THE_WORKER.test(path) || ON_REQUEST.test(path))).toEqual([]);
    expect(
      loaded().filter(path => /supervisor\/(step|rules|workers|listener|supervisor)\.js/.test(path)),
    ).toEqual([]);
    const others = ['act', 'check', 'help', 'status']
      .filter(name => name !== own)
      .map(name => `dist/commands/${name}.js`);
    expect(loaded().filter(path => others.includes(path))).toEqual([]);
  },
);
