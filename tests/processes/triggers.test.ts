/** `cron_restart` and `watch` in a service of the build. */
import { appendFileSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  appFile,
  control,
  messages,
  OUR_FIELDS,
  OUR_WORKER,
  served,
  type Service,
} from '../support/service.js';
import { cleanUp, CLUSTER, folder, freePort, start, until, type Running } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const FIELDS = { ...OUR_FIELDS, instances: 1, min_uptime: 100, watch_delay: 50 };

/** Starts the service of this app file, and waits until it serves. */
async function serves(file: string, env: Readonly<Record<string, string>> = {}): Promise<Service> {
  const port = await freePort();
  const all = { PORT: String(port), RUN_DIR: folder(), ...env };
  const running = start([CLUSTER, '--config', file], all);
  await until(() => served(running).length > 0, 'the worker serves');
  return Object.assign(running, { port, env: all });
}

/** The files whose change has caused a reload. */
const changes = (running: Running): string[] =>
  messages(running).flatMap(msg => /([^/]+) changed: reloading$/.exec(msg)?.[1] ?? []);

/** Appends to a file until the watch, which may not have begun, has noticed it. */
async function noticed(running: Running, file: string): Promise<void> {
  const name = file.split('/').at(-1) ?? '';
  let last = -Infinity;
  await until(() => {
    if (performance.now() - last > 400) {
      appendFileSync(file, '\n');
      last = performance.now();
    }
    return changes(running).includes(name);
  }, `a change of ${file} is noticed`);
}

describe('watch', () => {
  /** Writes two logs all the time. */
  const LOGGING = `
    const { appendFileSync } = require('node:fs');
    const log = () => { appendFileSync('logs/app.log', '.'); appendFileSync('app.log', '.'); };
    log();
    setInterval(log, 20);`;

  test.each([[['logs/**', '*.log']], [['./logs', 'app.log']], [['logs', 'log', '**/*.log']], [['**/*.log']]])(
    'ignore_watch %j: logs are written, and only src/login.js is noticed',
    async ignore => {
      const file = appFile(`${LOGGING} ${OUR_WORKER}`, { ...FIELDS, watch: true, ignore_watch: ignore });
      const at = dirname(file);
      mkdirSync(join(at, 'src'));
      mkdirSync(join(at, 'logs'));
      const running = await serves(file);
      await noticed(running, join(at, 'src', 'login.js'));
      await running.said(/^Reload finished$/);
      expect(new Set(changes(running))).toEqual(new Set(['login.js']));
    },
  );

  test('a glob watches what it matches, in folders that come later, too', async () => {
    const file = appFile(OUR_WORKER, { ...FIELDS, watch: ['src/**/*.js', '!src/generated/**'] });
    const at = dirname(file);
    mkdirSync(join(at, 'src', 'generated'), { recursive: true });
    const running = await serves(file);
    await noticed(running, join(at, 'src', 'first.js'));
    writeFileSync(join(at, 'other.js'), '');
    writeFileSync(join(at, 'src', 'notes.txt'), '');
    writeFileSync(join(at, 'src', 'generated', 'g.js'), '');
    mkdirSync(join(at, 'src', 'deep'));
    await noticed(running, join(at, 'src', 'deep', 'second.js'));
    expect(new Set(changes(running))).toEqual(new Set(['first.js', 'second.js']));
  });

  test('a pattern that matches nothing is named at the start', async () => {
    const file = appFile(OUR_WORKER, { ...FIELDS, watch: true, ignore_watch: ['/var/log'] });
    const running = await serves(file);
    expect(messages(running)).toContain('ignore_watch: "/var/log" ignores nothing; /var/log is not watched');
  });
});

describe('a watch that the system refuses', () => {
  const REFUSED =
    /^(watch is off: )?Unable to watch files: ENOSPC: .*; raise fs\.inotify\.max_user_watches, or watch fewer folders$/;

  /** Preloaded into the supervisor: no inotify watch is left. */
  function withoutWatches(): Record<string, string> {
    const hook = join(folder(), 'hook.cjs');
    writeFileSync(
      hook,
      `require('node:fs').watch = path => {
         throw Object.assign(new Error(\`ENOSPC: System limit for number of file watchers reached, watch '\${path}'\`), { code: 'ENOSPC' });
       };`,
    );
    return { NODE_OPTIONS: `--require ${hook}` };
  }

  test('is one error at the start, with the cure, and the service runs', async () => {
    const file = appFile(OUR_WORKER, { ...FIELDS, watch: true });
    for (let n = 0; n < 20; n++) mkdirSync(join(dirname(file), `folder-${n}`));
    const running = await serves(file, withoutWatches());
    await running.said(REFUSED);
    expect(messages(running).filter(msg => msg.includes('ENOSPC'))).toHaveLength(1);
  });

  test('refuses a reload, and nothing changes', async () => {
    const file = appFile(OUR_WORKER, FIELDS);
    const running = await serves(file, withoutWatches());
    const app = { name: 'test-app', script: './app.js', exec_mode: 'cluster', ...FIELDS, watch: true };
    writeFileSync(file, `module.exports = ${JSON.stringify(app)}`);
    const answer = (await control(running, 'POST', '/reload')).json();
    expect(answer).toEqual({ ok: false, reason: expect.stringMatching(REFUSED) });
    expect(served(running)).toHaveLength(1);
  });

  test('is not needed with usePolling', async () => {
    const file = appFile(OUR_WORKER, {
      ...FIELDS,
      watch: ['src'],
      watch_options: { usePolling: true, interval: 50, alwaysStat: true },
    });
    mkdirSync(join(dirname(file), 'src'));
    const running = await serves(file, withoutWatches());
    await noticed(running, join(dirname(file), 'src', 'lib.js'));
    expect(messages(running)).toContain('watch_options.alwaysStat is not followed');
  });
});

test('a supervisor whose own release is gone still follows cron_restart and watch, and names a misspelt field', async () => {
  const at = folder();
  const link = join(at, 'current');
  /** A release without packages: the bundle brings what it needs. */
  const deploy = (number: number, fields: object): string => {
    const root = join(at, `release-${number}`);
    mkdirSync(join(root, 'dist'), { recursive: true });
    for (const name of ['cluster.js', 'cluster.bundle.js'])
      copyFileSync(join(dirname(CLUSTER), name), join(root, 'dist', name));
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'cabe-arena-api' }));
    writeFileSync(join(root, 'dist', 'index.js'), OUR_WORKER);
    const app = { ...FIELDS, name: 'pruned', script: 'dist/index.js', exec_mode: 'cluster', ...fields };
    writeFileSync(join(root, 'ecosystem.config.js'), `module.exports = ${JSON.stringify(app)}`);
    rmSync(link, { force: true });
    symlinkSync(root, link);
    return root;
  };
  const first = deploy(1, {});
  const env = { PWD: link, PORT: String(await freePort()), RUN_DIR: folder() };
  const running = start([join(link, 'dist', 'cluster.js')], env, link);
  await until(() => served(running).length > 0, 'it serves');
  const reload = async (...warnings: readonly string[]): Promise<void> => {
    const done = { ok: true, reason: null };
    expect((await control({ env }, 'POST', '/reload')).json()).toEqual(
      warnings.length === 0 ? done : { ...done, warnings },
    );
  };

  deploy(2, {});
  await reload();
  rmSync(first, { recursive: true });
  deploy(3, { cron_restart: '0 4 29 2 *', wacth: true });
  await reload('wacth is not a field of an app file; did you mean watch?');
  const last = deploy(4, { watch: ['src'] });
  mkdirSync(join(last, 'src'));
  await reload();
  await noticed(running, join(last, 'src', 'lib.js'));
});

describe('a job: autorestart: false with cron_restart', () => {
  const job = (code: number): string =>
    appFile(
      `console.log(JSON.stringify({ msg: 'ran', at: Date.now() })); setTimeout(() => process.exit(${code}), 100);`,
      { instances: 1, autorestart: false, cron_restart: '* * * * * *' },
    );
  const runs = ({ lines }: Running): number[] =>
    lines.filter(({ msg }) => msg === 'ran').map(({ at }) => Number(at));

  test.each([0, 1])(
    'that exits with %i runs at every tick, and the service ends only on an order',
    async code => {
      const env = { RUN_DIR: folder() };
      const running = start([CLUSTER, '--config', job(code)], env);
      await until(() => runs(running).length >= 4, 'it has run at three ticks');
      const [, ...ticks] = runs(running);
      const pauses = ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0));
      expect(Math.min(...pauses)).toBeGreaterThan(500);
      expect(messages(running).some(msg => /^Reload finished$/.test(msg))).toBe(code === 0);
      running.kill();
      expect(await running.ended).toEqual({ code: 0, signal: null });
    },
  );
});
