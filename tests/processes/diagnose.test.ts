/** Diagnoses of running workers: files of this user alone, one at a time, while the watchdog waits. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { Pm2 } from '../support/pm2.js';
import {
  APP_FILE,
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  isAlive,
  request,
  start,
  until,
} from '../support/processes.js';
import { service, serving, type Service } from '../support/service.js';

jest.setTimeout(120_000);
afterEach(cleanUp);

interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** `diagnose …` of this service. */
async function diagnose(
  words: string,
  env: Readonly<Record<string, string>>,
  config?: string,
): Promise<Said> {
  const args = [
    CLUSTER,
    'diagnose',
    ...words.split(' '),
    ...(config === undefined ? [] : ['--config', config]),
  ];
  const command = start(args, env);
  const { code } = await command.ended;
  return { code, text: command.text() };
}

const fileIn = ({ text }: Said): string => /^✓ (\S+) \(/m.exec(text)?.[1] ?? text;

async function natively(workers: number, config?: string, env: Record<string, string> = {}) {
  const at = join(folder(), 'diagnostics');
  const args = config === undefined ? [] : ['--config', config];
  const running = await service({ workers, args, env: { DIAGNOSTICS_DIR: at, ...env } });
  return Object.assign(running, { at });
}

/** The workers' threads start after them. */
async function first(words: string, { env }: Service, config?: string): Promise<Said> {
  let said: Said = { code: null, text: '' };
  await until(async () => {
    said = await diagnose(words, env, config);
    return !said.text.includes('has no worker that can be asked');
  }, 'the worker can be asked');
  return said;
}

const mode = (path: string): number => statSync(path).mode & 0o777;

test('cpu, heap and report of a chosen worker are written for this user alone', async () => {
  const running = await natively(2);
  const pids = await serving(running);

  const report = await first('report --slot 1', running);
  expect(report.code).toBe(0);
  const { header, javascriptStack, ...rest } = JSON.parse(readFileSync(fileIn(report), 'utf8')) as {
    header: { processId: number };
    javascriptStack: object;
  };
  expect(header.processId).toBe(pids[1]);
  expect(javascriptStack).toBeDefined();
  expect(Object.keys(rest)).not.toContain('environmentVariables');

  const profiling = diagnose('cpu --seconds 3', running.env);
  const [shared = ''] = readdirSync(tmpdir()).filter(name =>
    name.endsWith(`-${running.pid}-${running.port}`),
  );
  await until(() => readdirSync(join(tmpdir(), shared)).includes('diagnosing'), 'the profile has begun');
  const second = await diagnose('report --slot 1', running.env);
  const cpu = await profiling;
  expect([cpu.code, second.code]).toEqual([0, 1]);
  expect(second.text).toContain(`worker ${pids[0]} is being diagnosed`);
  const { nodes, samples } = JSON.parse(readFileSync(fileIn(cpu), 'utf8')) as Record<string, unknown[]>;
  expect(nodes?.length).toBeGreaterThan(2);
  expect(samples?.length).toBeGreaterThan(100);

  const heap = await diagnose('heap --slot 0', running.env);
  expect(heap.code).toBe(0);
  expect(readFileSync(fileIn(heap), 'utf8').slice(0, 12)).toBe('{"snapshot":');

  expect(mode(running.at)).toBe(0o700);
  expect([report, cpu, heap].map(said => mode(fileIn(said)))).toEqual([0o600, 0o600, 0o600]);
  expect(readdirSync(running.at)).toHaveLength(3);
  expect(await serving(running)).toEqual(pids);
});

test('without DIAGNOSTICS_DIR the files are below TMPDIR', async () => {
  const at = folder();
  const running = await natively(1, undefined, { DIAGNOSTICS_DIR: '', TMPDIR: at });
  expect(dirname(dirname(fileIn(await first('report', running))))).toBe(at);
});

test('what cannot be done is refused with a sentence', async () => {
  const running = await natively(1);
  expect((await first('heap', running)).code).toBe(0);
  const missing = await diagnose('cpu --slot 7', running.env);
  expect([missing.code, missing.text]).toEqual([
    1,
    'Slot 7 has no worker that can be asked; slots that have one: 0\n',
  ]);
  const other = await natively(1, undefined, { DIAGNOSTICS_DIR: '/proc/diagnostics' });
  const refused = await first('report', other);
  expect([refused.code, refused.text]).toEqual([
    1,
    expect.stringMatching(/✗ report failed: .*\/proc/) as string,
  ]);
});

test('a CPU profile shows what blocks a worker, and the watchdog waits for it', async () => {
  const config = hangingAppFile({ env: { NODE_ENV: 'production', WATCHDOG_TIMEOUT_MS: '5000' } });
  const running = await natively(1, config);
  expect((await first('report', running, config)).code).toBe(0);
  const [pid = 0] = await serving(running);
  await request(running.port, hangPath('loop', 60_000));
  await running.said(/blocked for/);
  // Longer than the watchdog would wait.
  const cpu = await diagnose('cpu --seconds 6', running.env, config);
  expect(cpu.code).toBe(0);
  expect(readFileSync(fileIn(cpu), 'utf8').includes('"functionName":"hangNow"')).toBe(true);
  const heap = await diagnose('heap', running.env, config);
  expect([heap.code, heap.text]).toEqual([1, expect.stringContaining('its event loop is blocked') as string]);
  expect(isAlive(pid)).toBe(true);
});

test('under PM2 the command finds the worker, and triggers do the same', async () => {
  const at = join(folder(), 'diagnostics');
  const env = { PORT: String(await freePort()), WEB_CONCURRENCY: '2', DIAGNOSTICS_DIR: at };
  const pm2 = new Pm2(env);
  try {
    await pm2.run('start', APP_FILE);
    let said: Said = { code: null, text: '' };
    await until(async () => {
      said = await diagnose('report --slot 1', { PM2_HOME: pm2.home, RUN_DIR: folder() });
      return said.code === 0;
    }, 'the worker can be asked');
    expect(fileIn(said)).toContain('report-slot1-');
    const { text: triggered } = await pm2.run('trigger', '0', 'cpu', '1');
    const [, file = ''] = /"file":"([^"]+\.cpuprofile)"/.exec(triggered) ?? [];
    expect(mode(file)).toBe(0o600);
    expect((await pm2.run('trigger', '0', 'cpu', 'long')).text).toContain('seconds must be a whole number');
  } finally {
    await pm2.end();
  }
});
