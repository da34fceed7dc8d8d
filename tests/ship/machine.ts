/** A machine whose first process is systemd: Debian by debootstrap, booted by systemd-nspawn in the network of this one. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, until } from '../support/processes.js';
import { run } from './engine.js';

/** Where the release is. */
const HOME = '/srv/cabe-arena-api';

const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'libnss-systemd', 'libatomic1', 'procps'];
const RELEASE = ['dist', 'ecosystem.config.js', 'package.json'];
const BOOT_PATIENCE_MS = 60_000;

export interface Ended {
  readonly code: number | null;
  /** Of both streams. */
  readonly output: string;
}

export interface Machine {
  /** Runs a command as root on the machine, in the folder of the release, while this process goes on. */
  run(...command: readonly string[]): Promise<Ended>;
  /** @param file its path on the machine */
  write(file: string, text: string): void;
  remove(file: string): void;
  stop(): Promise<void>;
}

/**
 * With the node of this process in /usr/bin and the release in {@link HOME}.
 * @throws Error naming the missing program, or with what the boot printed
 */
export async function bootMachine(): Promise<Machine> {
  const at = mkdtempSync(join(tmpdir(), 'machine-'));
  const root = join(at, 'root');
  run('debootstrap', ['--variant=minbase', `--include=${PACKAGES.join(',')}`, 'bookworm', root]);
  cpSync(process.execPath, join(root, 'usr', 'bin', 'node'), { dereference: true });
  mkdirSync(join(root, HOME, 'node_modules'), { recursive: true });
  for (const name of RELEASE) cpSync(join(ROOT, name), join(root, HOME, name), { recursive: true });

  // With a systemd of its own, this machine knows its guests; without one, there is nobody to register them with.
  const registration = existsSync('/run/systemd/system') ? [] : ['--register=no', '--keep-unit'];
  const modules = `--bind-ro=${join(ROOT, 'node_modules')}:${HOME}/node_modules`;
  const options = ['--quiet', `--directory=${root}`, modules, ...registration, '--console=pipe', '--boot'];
  const guest = spawn('systemd-nspawn', options, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [guest.stdout, guest.stderr])
    stream.on('data', (data: Buffer) => (printed += data.toString()));
  guest.once('error', error => (printed += error.message));

  /** systemd, as this machine sees it. */
  function firstProcess(): string {
    const children = `/proc/${guest.pid}/task/${guest.pid}/children`;
    const [pid] = existsSync(children) ? readFileSync(children, 'utf8').split(' ') : [];
    if (!pid) throw new Error(`The machine does not run: ${printed}`);
    return pid;
  }

  const enter = (command: readonly string[]): string[] =>
    ['-t', firstProcess(), '-m', '-u', '-i', '-p', '-C'].concat('env', '-C', HOME, command);
  const machine: Machine = {
    run: (...command) =>
      new Promise(resolve => {
        const child = spawn('nsenter', enter(command), { stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (data: Buffer) => (output += data.toString()));
        child.once('close', code => resolve({ code, output: output.trim() }));
      }),
    write(file, text) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    },
    remove: file => rmSync(join(root, file), { recursive: true, force: true }),
    async stop() {
      if (guest.exitCode === null && guest.pid !== undefined) {
        spawnSync('nsenter', enter(['systemctl', 'poweroff']));
        await once(guest, 'exit');
      }
      rmSync(at, { recursive: true, force: true });
    },
  };
  const isUp = async (): Promise<boolean> => {
    if (guest.exitCode !== null) throw new Error(`The machine does not boot: ${printed}`);
    return /^(running|degraded)/.test((await machine.run('systemctl', 'is-system-running')).output);
  };
  await until(
    () => guest.exitCode !== null || existsSync(`/proc/${guest.pid}/task/${guest.pid}/children`),
    'systemd-nspawn starts',
  );
  await until(() => isUp().catch(() => false), `the machine is up`, BOOT_PATIENCE_MS);
  return machine;
}
