/** The units of `deploy/systemd` under a real systemd: started, reloaded, upgraded, hung, and with a socket of systemd. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ROOT, until } from '../support/processes.js';
import { answers } from '../support/service.js';
import { strictClient } from '../support/strict-client.js';
import { bootMachine, type Ended, type Machine } from './machine.js';

jest.setTimeout(600_000);

const NAME = 'cabe-arena-api';
const UNITS = '/etc/systemd/system';
const WORKERS = 2;
const MIN_REQUESTS = 2_000;

let machine: Machine;
let port: number;

const systemctl = (...args: readonly string[]): Promise<Ended> => machine.run('systemctl', ...args);
const show = async (property: string): Promise<string> =>
  (await systemctl('show', NAME, '--value', '-p', property)).output;
const AS_SERVICE = ['runuser', '-u', NAME, '--', 'env', `RUN_DIR=/run/${NAME}`];
/** As an administrator does it, by docs/operations.md. */
const command = (...args: readonly string[]): Promise<Ended> =>
  machine.run(...AS_SERVICE, 'node', 'dist/cluster.js', ...args);

/** @returns what failed of many requests that are sent while this happens */
async function lostDuring(happens: () => Promise<void>): Promise<object> {
  const client = strictClient({ port });
  const enough = (count: number): Promise<void> => until(() => client.sent >= count, `${count} requests`);
  await enough(MIN_REQUESTS / 2);
  await happens();
  await enough(Math.max(MIN_REQUESTS, client.sent + MIN_REQUESTS / 2));
  const { sent, failures, longestMs } = await client.stop();
  process.stderr.write(
    `${expect.getState().currentTestName}: ${sent} requests, failures ${JSON.stringify(failures)}, slowest ${longestMs} ms\n`,
  );
  return failures;
}

beforeAll(async () => {
  machine = await bootMachine();
  port = await freePort();
  for (const unit of [`${NAME}.service`, `${NAME}.socket`])
    machine.write(`${UNITS}/${unit}`, readFileSync(join(ROOT, 'deploy', 'systemd', unit), 'utf8'));
  machine.write(`/etc/${NAME}.env`, `PORT=${port}\nWEB_CONCURRENCY=${WORKERS}\nFEATURES=off\n`);
  await systemctl('daemon-reload');
});
afterAll(() => machine?.stop());

test('the service has started once its first worker is ready, as a user of its own', async () => {
  expect(await systemctl('enable', '--now', NAME)).toMatchObject({ code: 0 });
  expect(await answers(port)).toBe(true);
  await until(
    async () => (await show('StatusText')) === `ready: ${WORKERS} of ${WORKERS} workers serve`,
    'the status says that all workers serve',
  );
  const { output } = await machine.run('stat', '-c', '%U', `/proc/${await show('MainPID')}`);
  expect(output).toBe(NAME);
  expect(await command('status')).toMatchObject({ code: 0 });
});

test('systemctl reload loses no request', async () => {
  const before = await show('MainPID');
  const failures = await lostDuring(async () =>
    expect(await systemctl('reload', NAME)).toMatchObject({ code: 0 }),
  );
  expect(failures).toEqual({});
  expect(await show('MainPID')).toBe(before);
  expect((await command('status')).output).toContain('generation 2');
});

test('systemctl reload fails with a build that does not start, and the old one serves on', async () => {
  machine.write('/srv/cabe-arena-api/dist/index.js', 'process.exit(7);');
  const failures = await lostDuring(async () => expect((await systemctl('reload', NAME)).code).not.toBe(0));
  machine.write('/srv/cabe-arena-api/dist/index.js', readFileSync(join(ROOT, 'dist', 'index.js'), 'utf8'));
  expect(failures).toEqual({});
  expect(await show('ActiveState')).toBe('active');
});

test('an upgrade moves the main process, and loses no request', async () => {
  const before = await show('MainPID');
  const failures = await lostDuring(async () => expect(await command('upgrade')).toMatchObject({ code: 0 }));
  expect(failures).toEqual({});
  const after = await show('MainPID');
  expect(after).not.toBe(before);
  expect([await show('ActiveState'), await show('NRestarts')]).toEqual(['active', '0']);
  expect((await machine.run('cat', `/run/${NAME}/supervisor.pid`)).output).toBe(after);
});

test('a supervisor that does not turn any more is replaced by the watchdog', async () => {
  machine.write(`${UNITS}/${NAME}.service.d/watchdog.conf`, '[Service]\nWatchdogSec=3\n');
  await systemctl('daemon-reload');
  expect(await systemctl('restart', NAME)).toMatchObject({ code: 0 });
  await machine.run('kill', '-STOP', await show('MainPID'));
  await until(async () => (await show('NRestarts')) === '1', 'systemd has restarted the service', 60_000);
  await until(() => answers(port), 'it serves');
  machine.remove(`${UNITS}/${NAME}.service.d`);
  await systemctl('daemon-reload');
});

test('with the socket unit, not even a restart loses a request', async () => {
  expect(await systemctl('stop', NAME)).toMatchObject({ code: 0 });
  machine.write(`${UNITS}/${NAME}.socket.d/port.conf`, `[Socket]\nListenStream=\nListenStream=${port}\n`);
  await systemctl('daemon-reload');
  expect(await systemctl('enable', '--now', `${NAME}.socket`, NAME)).toMatchObject({ code: 0 });
  const failures = await lostDuring(async () =>
    expect(await systemctl('restart', NAME)).toMatchObject({ code: 0 }),
  );
  expect(failures).toEqual({});
});

test('systemctl stop ends it well, and leaves no process', async () => {
  const processes = async (): Promise<string> => (await machine.run('pgrep', '-f', 'master|worker')).output;
  expect(await processes()).not.toBe('');
  expect(await systemctl('stop', `${NAME}.socket`, NAME)).toMatchObject({ code: 0 });
  expect([await show('ActiveState'), await show('Result')]).toEqual(['inactive', 'success']);
  expect(await processes()).toBe('');
  expect(await answers(port)).toBe(false);
});
