/** `Type=notify`: what a real datagram socket receives from the service, as systemd would. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isInstalled } from '../support/metrics.js';
import { cleanUp, CLUSTER, folder, ROOT, start, until } from '../support/processes.js';
import { messages, service, statusOf } from '../support/service.js';

jest.setTimeout(60_000);
const receivers: ChildProcess[] = [];
afterEach(async () => {
  for (const one of receivers.splice(0)) one.kill();
  await cleanUp();
});

const UNIT = join(ROOT, 'deploy', 'systemd', 'cabe-arena-api.service');

/** Node has no datagram sockets; Perl is part of every Debian. Prints each message as one line. */
const RECEIVER = `
use IO::Socket::UNIX; use Socket; $| = 1;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$!";
print "bound\\n";
while (defined($s->recv(my $m, 4096))) { $m =~ s/\\n/ /g; print "$m\\n"; }
`;

const canNotify = isInstalled('systemd-notify') && isInstalled('perl');

/** @returns the socket's path and the messages so far; systemd-notify's own barriers are left out */
async function receiver(): Promise<{ socket: string; received: () => string[] }> {
  const socket = join(mkdtempSync(join(folder(), 'n-')), 's');
  const child = spawn('perl', ['-e', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  receivers.push(child);
  const lines: string[] = [];
  const input = createInterface({ input: child.stdout });
  input.on('line', line => lines.push(line));
  await once(input, 'line');
  return { socket, received: () => lines.slice(1).filter(line => line !== 'BARRIER=1') };
}

(canNotify ? describe : describe.skip)('systemd', () => {
  test('start, reload and stop are reported in order, and the watchdog is fed', async () => {
    const { socket, received } = await receiver();
    const running = await service({ env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' } });
    const phases = (): string[] =>
      received().flatMap(line => /(READY|RELOADING|STOPPING)=1/.exec(line)?.[1] ?? []);
    await until(() => phases().length === 1, 'it is ready');
    await until(() => received().includes('STATUS=ready: 2 of 2 workers serve'), 'the status is reported');
    await until(() => received().includes('WATCHDOG=1'), 'the watchdog is fed');

    const reloaded = start([CLUSTER, 'reload'], running.env);
    expect((await reloaded.ended).code).toBe(0);
    await until(() => phases().length === 3, 'it is ready again');
    expect(received().find(line => line.startsWith('RELOADING'))).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+/);

    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
    expect(phases()).toEqual(['READY', 'RELOADING', 'READY', 'STOPPING']);
  });

  test('an upgrade moves the main process, and never says that it stops', async () => {
    const { socket, received } = await receiver();
    const running = await service({ workers: 1, env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '60000000' } });
    expect((await start([CLUSTER, 'upgrade'], running.env).ended).code).toBe(0);
    const { supervisor } = await statusOf(running);
    expect(supervisor.pid).not.toBe(running.pid);
    await until(() => running.child.exitCode === 0, 'the old supervisor has ended well');
    await until(
      () => received().filter(line => line.startsWith('READY=1')).length === 2,
      'it is ready again',
    );
    expect(received().filter(line => /^(READY|MAINPID|STOPPING)/.test(line))).toEqual([
      expect.stringMatching(/^READY=1/),
      `MAINPID=${supervisor.pid} WATCHDOG=1`,
      expect.stringMatching(/^READY=1/),
    ]);
  });
});

test('a message that cannot be sent is one warning, and the service serves on', async () => {
  const running = await service({ env: { NOTIFY_SOCKET: join(folder(), 'missing'), PATH: folder() } });
  const warnings = (): string[] =>
    messages(running).filter(line => line.startsWith('systemd gets no messages'));
  await until(() => warnings().length > 0, 'it is logged');
  expect((await start([CLUSTER, 'reload'], running.env).ended).code).toBe(0);
  expect(warnings()).toEqual(['systemd gets no messages: spawn systemd-notify ENOENT']);
});

test('the watchdog is still fed after an upgrade that fails because systemd does not learn of it', async () => {
  const [tools, sent] = [folder(), join(folder(), 'sent')];
  const notify = `#!/bin/sh\ncase "$1" in MAINPID=*) exit 1 ;; esac\necho "$*" >>${sent}\n`;
  writeFileSync(join(tools, 'systemd-notify'), notify, { mode: 0o755 });
  const running = await service({
    workers: 1,
    env: {
      NOTIFY_SOCKET: join(folder(), 'missing'),
      WATCHDOG_USEC: '400000',
      PATH: `${tools}:${process.env['PATH']}`,
    },
  });
  const upgrade = start([CLUSTER, 'upgrade'], running.env);
  expect((await upgrade.ended).code).toBe(1);
  expect(upgrade.text()).toContain('✗ upgrade failed: systemd gets no messages');
  const beats = (): number =>
    readFileSync(sent, 'utf8')
      .split('\n')
      .filter(line => line === 'WATCHDOG=1').length;
  const before = beats();
  await until(() => beats() > before + 1, 'the watchdog is fed');
});

test('workers do not see the variables of systemd', async () => {
  const running = await service({
    workers: 1,
    env: { NOTIFY_SOCKET: join(folder(), 'missing'), WATCHDOG_USEC: '60000000' },
  });
  const pid = messages(running).flatMap(line => /^Worker (\d+) is online$/.exec(line)?.[1] ?? [])[0];
  const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  expect(env.filter(line => /^(NOTIFY_SOCKET|WATCHDOG_)/.test(line))).toEqual([]);
});

(isInstalled('systemd-analyze') ? describe : describe.skip)('the unit files', () => {
  const analyze = (...args: string[]): string =>
    execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  test('expose little of the system', () => {
    const output = analyze('security', '--offline=true', UNIT);
    const score = Number(/Overall exposure level for .*: ([\d.]+)/.exec(output)?.[1]);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(2);
  });

  test('are valid', () => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', UNIT, UNIT.replace('.service', '.socket')], {
      encoding: 'utf8',
    });
    // Where this machine has its node is not the unit's fault.
    expect(stderr.split('\n').filter(line => !/^$|is not executable/.test(line))).toEqual([]);
  });

  test('allow more time to stop than a worker may take', () => {
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
    const { apps } = require(join(ROOT, 'ecosystem.config.js')) as { apps: [{ kill_timeout: number }] };
    expect(Number(seconds) * 1_000).toBeGreaterThan(apps[0].kill_timeout);
  });
});
