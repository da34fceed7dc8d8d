/** `--env`: the environment of the app file in which a service runs, from start to start and from reload to reload. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Status } from '../../src/supervisor/report/status.js';
import { cleanUp, CLUSTER, folder, start, until, type Running } from '../support/processes.js';
import { appFile, control, IDLE, IDLE_FIELDS, stateIn } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const PROGRAM = `
  if (process.env.FAULT) process.exit(1);
  console.log('it is ' + process.env.COLOUR);
  ${IDLE}`;

const FIELDS = {
  ...IDLE_FIELDS,
  env: { COLOUR: 'plain' },
  env_red: { COLOUR: 'red' },
  env_blue: { COLOUR: 'blue' },
  env_broken: { COLOUR: 'none', FAULT: 'yes' },
};

interface Served {
  readonly running: Running;
  readonly colours: () => readonly string[];
  readonly command: (...args: string[]) => Promise<{ code: number | null; text: string }>;
}

/** A service that its commands find by the app file alone. */
async function served(...args: string[]): Promise<Served> {
  const file = appFile(PROGRAM, FIELDS);
  const env = { TMPDIR: folder() };
  const running = start([CLUSTER, '--config', file, ...args], env);
  const command = async (...words: string[]) => {
    const given = start([CLUSTER, ...words, '--config', file], env);
    const { code } = await given.ended;
    return { code, text: given.text() };
  };
  await until(
    async () => stateIn((await command('status', '--json')).text) === 'ready',
    'it serves, and commands find it without --env',
  );
  const colours = (): string[] => running.lines.flatMap(({ msg }) => /^it is (.*)/.exec(msg)?.[1] ?? []);
  return { running, command, colours };
}

test('a reload switches it, and later reloads keep it', async () => {
  const { running, command, colours } = await served('--env', 'red');
  const env = async () => (JSON.parse((await command('status', '--json')).text) as Status).env;
  expect(await env()).toBe('red');
  expect(await command('reload', '--env', 'blue')).toMatchObject({ code: 0 });
  expect(await env()).toBe('blue');
  expect(await command('reload')).toMatchObject({ code: 0 });
  running.kill('SIGHUP');
  await until(() => colours().length === 4, 'it has reloaded again');
  expect(colours()).toEqual(['red', 'blue', 'blue', 'blue']);
});

test('a reload that fails leaves it as it was', async () => {
  const { command, colours } = await served();
  expect(await command('reload', '--env', 'broken')).toMatchObject({ code: 1 });
  expect(await command('reload')).toMatchObject({ code: 0 });
  expect(colours()).toEqual(['plain', 'plain']);
});

test('a name that the file does not have is said in the answer', async () => {
  const { command } = await served();
  expect(await command('reload', '--env', 'bleu')).toEqual({
    code: 0,
    text: expect.stringMatching(/✓ Reloaded\n  warning   --env bleu: the app file has no env_bleu\n$/),
  });
});

test('the control socket takes it in the body of the request', async () => {
  const env = { RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', appFile(PROGRAM, FIELDS)], env);
  await running.said(/is online/);
  for (const body of [{ env: '' }, { env: 5 }, { env: null }]) {
    const { status, text } = await control({ env }, 'POST', '/reload', JSON.stringify(body));
    expect([status, text]).toEqual([400, expect.stringContaining('env must be the NAME of env_NAME')]);
  }
  const { status, text } = await control({ env }, 'POST', '/reload', '{"env":"blue"}');
  expect([status, JSON.parse(text)]).toEqual([200, { ok: true, reason: null }]);
  await running.said(/^it is blue$/);
});

test('the variables of a deployment are taken, as PM2 takes them', async () => {
  const file = join(dirname(appFile(PROGRAM)), 'ecosystem.config.js');
  const app = { ...IDLE_FIELDS, name: 'test-app', script: './app.js', exec_mode: 'cluster' };
  const content = { apps: [app], deploy: { production: { env: { COLOUR: 'deployed' } } } };
  writeFileSync(file, `module.exports = ${JSON.stringify(content)}`);
  const running = start([CLUSTER, '--config', file, '--env', 'production'], { RUN_DIR: folder() });
  await running.said(/^it is deployed$/);
  expect(running.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});
