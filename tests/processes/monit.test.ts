/* oxlint-disable jest/no-standalone-expect -- its tests are skipped where tmux is missing */
/** `monit` in a real terminal (tmux), over real services. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { Pm2 } from '../support/pm2.js';
import { cleanUp, CLUSTER, folder, freePort, isAlive, request, start, until } from '../support/processes.js';
import {
  appFile,
  OUR_FIELDS,
  OUR_WORKER,
  service,
  serving,
  statusOf,
  type Service,
} from '../support/service.js';
import { hasTmux, terminal, type Terminal } from '../support/tmux.js';

jest.setTimeout(90_000);

if (!hasTmux)
  process.stderr.write('tests/processes/monit.test.ts: tmux is not installed; its tests are skipped\n');
const inTmux = hasTmux ? test : test.skip;

const terminals: Terminal[] = [];
afterEach(async () => {
  for (const one of terminals.splice(0)) one.end();
  await cleanUp();
});

const COMMAND = `${process.execPath} ${CLUSTER} monit`;

/** The same, in a process whose pid it writes into that file. */
const withPid = (file: string): string => `sh -c 'echo $$ > ${file}; exec ${COMMAND}'`;

const pidIn = (file: string): number => Number(readFileSync(file, 'utf8'));

function open({ env }: Pick<Service, 'env'>, args = '', columns = 80, rows = 24): Terminal {
  return run({ env }, `echo before; ${COMMAND} ${args}; echo ended with $?`, columns, rows);
}

/** In a shell of its own. */
function run({ env }: Pick<Service, 'env'>, command: string, columns = 80, rows = 24): Terminal {
  const one = terminal(columns, rows, { ...env, NO_COLOR: undefined });
  terminals.push(one);
  one.press(command, 'Enter');
  return one;
}

/** The shell is back: its text, its cursor, its echo. */
async function expectRestored(one: Terminal, code: number): Promise<void> {
  const screen = await one.shows(new RegExp(`ended with ${code}$`, 'm'));
  expect(screen).toMatch(/^before$/m);
  expect(screen).not.toContain('workers serve');
  one.press('stty -a | tr ";" "\\n" | grep -o -w -e "-\\?icanon" -e "-\\?echo"', 'Enter');
  await one.shows(/^icanon\necho$/m);
}

inTmux('a service that is well: its workers, its log, and the terminal given back after q', async () => {
  const running = await service({ workers: 2 });
  const one = open(running);
  const screen = await one.shows(/✓ cabe-arena-api ready: 2 of 2 workers serve/);
  for (const pid of await serving(running)) expect(screen).toContain(String(pid));
  await until(async () => {
    await request(running.port, '/nowhere');
    return one.screen().includes('GET /nowhere 404');
  }, 'the log is shown');
  expect(one.screen(true)).toContain('\u001b[32m✓ cabe-arena-api ready');
  one.resize(160, 50);
  await one.shows(/p50 ms/);
  one.resize(40, 10);
  await until(() => !one.screen().includes('restarts'), 'it fits a small terminal');
  expect(one.screen().split('\n')).toHaveLength(10);
  one.resize(80, 24);
  await one.shows(/restarts/);
  one.press('q');
  await expectRestored(one, 0);
});

inTmux('keys reload, scale and stop; then the service is gone, and back with a new supervisor', async () => {
  const running = await service({ workers: 1 });
  const one = open(running);
  await one.shows(/1 of 1 workers serve/);
  one.press('r');
  await one.shows(/✓ Reloaded/);
  await one.shows(/generation 2/);
  one.press('+');
  await one.shows(/✓ Running 2 workers/);
  one.press('s');
  await one.shows(/Stop the service\?/);
  one.press('n');
  await until(() => !one.screen().includes('Stop the service?'), 'the question is withdrawn');
  expect((await statusOf(running)).state).toBe('ready');
  one.press('s', 'y');
  await one.shows(/✓ Stopped/);
  await one.shows(/✗ cabe-arena-api gone since [\d:]+, trying again/);
  await service({ workers: 1, env: running.env });
  await one.shows(/✓ cabe-arena-api ready: 1 of 1 workers serve {2,}generation 1/);
});

inTmux(
  'a service that is back at another control socket is found, and its app file prints nothing here',
  async () => {
    const [port, file] = [await freePort(), appFile(OUR_WORKER)];
    const write = (runDir: string): void => {
      const env = { PORT: String(port), RUN_DIR: runDir };
      const app = {
        ...OUR_FIELDS,
        name: 'moved',
        script: './app.js',
        exec_mode: 'cluster',
        instances: 1,
        env,
      };
      writeFileSync(file, `console.log('evaluated'); module.exports = { apps: [${JSON.stringify(app)}] };`);
    };
    const [before, after] = [folder(), folder()];
    write(before);
    const args = ['--config', file];
    const first = await service({ workers: 1, args, env: { RUN_DIR: before, WEB_CONCURRENCY: '' } });
    const one = open({ env: {} }, `--config ${file}`);
    await one.shows(/✓ moved ready: 1 of 1 workers serve/);
    first.kill('SIGTERM');
    await one.shows(/✗ moved gone since/);
    write(after);
    await service({ workers: 1, args, env: { RUN_DIR: after, WEB_CONCURRENCY: '' } });
    await one.shows(/✓ moved ready: 1 of 1 workers serve/);
    expect(one.screen()).not.toContain('evaluated');
  },
);

inTmux('a reload that fails says why, and a crash loop is no ready service', async () => {
  const file = appFile(OUR_WORKER, { ...OUR_FIELDS, instances: 1, exp_backoff_restart_delay: 100 });
  const running = await service({ workers: 1, args: ['--config', file] });
  const one = open(running, `--config ${file}`);
  await one.shows(/1 of 1 workers serve/);
  writeFileSync(join(dirname(file), 'app.js'), "throw new Error('a broken build')");
  one.press('r');
  await one.shows(/✗ reload failed: the new worker of slot 0 exited \(code 1\)/);
  const [pid = 0] = await serving(running);
  process.kill(pid, 'SIGKILL');
  await one.shows(/✗ test-app (crash-looping|down): 0 of 1 workers serve/);
  await one.shows(/why: slot 0 is in backoff, next try in \d+ m?s, restarted/);
});

inTmux('a hung worker is shown as hung', async () => {
  const file = hangingAppFile();
  const running = await service({ workers: 1, args: ['--config', file] });
  const one = open(running, `--config ${file}`);
  await one.shows(/1 of 1 workers serve/);
  await request(running.port, hangPath('loop', 12_000));
  await one.shows(/✗ cabe-arena-api (down|hung): 0 of 1 workers serve/);
  await one.shows(/ 0 hung /);
});

inTmux('no terminal is left in a bad state by SIGTERM, nor by SIGTSTP and SIGCONT', async () => {
  const running = await service({ workers: 1 });
  const one = open(running);
  await one.shows(/1 of 1 workers serve/);
  one.press('C-z');
  await one.shows(/Stopped/);
  expect(one.screen()).not.toContain('workers serve');
  one.press('fg', 'Enter');
  await one.shows(/1 of 1 workers serve/);
  one.press('o');
  await one.shows(/sorted by cpu/);
  one.press('q');
  await until(() => !one.screen().includes('workers serve'), 'the view is left');
  const pidFile = join(folder(), 'pid');
  one.press(`clear; echo before; ${withPid(pidFile)}; echo ended with $?`, 'Enter');
  await one.shows(/1 of 1 workers serve/);
  process.kill(pidIn(pidFile), 'SIGTERM');
  await expectRestored(one, 143);
});

inTmux('SIGTSTP from outside stops it until fg; SIGCONT from outside takes no terminal', async () => {
  const running = await service({ workers: 1 });
  const pidFile = join(folder(), 'pid');
  const one = run(running, `echo before; ${withPid(pidFile)}`);
  await one.shows(/1 of 1 workers serve/);
  const pid = pidIn(pidFile);
  process.kill(pid, 'SIGTSTP');
  await one.shows(/Stopped/);
  process.kill(pid, 'SIGCONT');
  one.press('echo the shell answers', 'Enter');
  await one.shows(/^the shell answers$/m);
  one.press('fg; echo ended with $?', 'Enter');
  await one.shows(/1 of 1 workers serve/);
  one.press('o');
  await one.shows(/sorted by cpu/);
  one.press('q');
  await expectRestored(one, 0);
});

inTmux('without a shell to continue it, Ctrl-Z changes nothing; it ends with its terminal', async () => {
  const running = await service({ workers: 1 });
  const pidFile = join(folder(), 'pid');
  const one = run(running, `exec ${withPid(pidFile)}`);
  await one.shows(/1 of 1 workers serve/);
  one.press('C-z', 'o');
  await one.shows(/1 of 1 workers serve[^]*sorted by cpu/);
  terminals.pop()?.end();
  await until(() => !isAlive(pidIn(pidFile)), 'it has ended');
});

inTmux('Ctrl-C leaves the view, and not the service', async () => {
  const running = await service({ workers: 1 });
  const one = open(running);
  await one.shows(/1 of 1 workers serve/);
  one.press('C-c');
  await expectRestored(one, 0);
  expect((await statusOf(running)).state).toBe('ready');
});

inTmux('a service under PM2, where the keys show its commands', async () => {
  const port = await freePort();
  const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
  try {
    expect(await pm2.run('start', 'ecosystem.config.js')).toMatchObject({ code: 0 });
    const one = open({ env: { ...pm2.env, RUN_DIR: '' } });
    await one.shows(/✓ cabe-arena-api ready: 2 of 2 workers serve {2,}PM2/);
    one.press('r');
    await one.shows(/pm2 reload cabe-arena-api/);
    one.press('q');
    await expectRestored(one, 0);
  } finally {
    await pm2.end();
  }
});

inTmux('a terminal without a cursor is refused', async () => {
  const one = open({ env: { RUN_DIR: folder() } });
  await one.shows(/ended with 1$/m);
  one.press(`clear; TERM=dumb ${COMMAND}; echo ended with $?`, 'Enter');
  await one.shows(/monit needs a terminal: TERM=dumb has no cursor to move[^]*ended with 2$/m);
});

test('a pipe is no terminal', async () => {
  const running = start([CLUSTER, 'monit'], { RUN_DIR: folder() });
  expect((await running.ended).code).toBe(2);
  expect(running.text()).toBe(
    'monit needs a terminal: standard input or standard output is not a terminal; "status" prints the same once\n',
  );
});
