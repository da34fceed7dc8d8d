/**
 * A container engine of the tests' own: a private `dockerd` without bridge and firewall rules, which root
 * can start inside most virtual machines. No image is pulled: the base is made by debootstrap and this machine's own node.
 */
import { spawn, spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, until } from '../support/processes.js';

/** Name of the base image. */
export const BASE = 'cabe-arena-test-base';

const CONTEXT = [
  'Dockerfile',
  '.dockerignore',
  '.yarnrc.yml',
  'deploy',
  'ecosystem.config.js',
  'package.json',
  'scripts',
  'src',
  'tsconfig.build.json',
  'tsconfig.json',
  'yarn.lock',
];

const MAX_OUTPUT = 64 * 2 ** 20;

export interface Engine {
  /** Runs a docker command. @returns its standard output @throws Error with its output if it fails */
  docker(...args: readonly string[]): string;
  /** As `docker`, but resolves while this process goes on. @returns exit code and output of both streams */
  dockerAsync(...args: readonly string[]): Promise<{ code: number | null; output: string }>;
}

export interface PrivateEngine extends Engine {
  /** For {@link connect}, from other processes. */
  readonly socket: string;
  stop(): Promise<void>;
}

/** @throws Error naming the missing program, or with the engine's log */
export async function startEngine(): Promise<PrivateEngine> {
  const at = mkdtempSync(join(tmpdir(), 'engine-'));
  const socket = join(at, 'docker.sock');
  const log = join(at, 'log');
  const daemon = spawn(
    'dockerd',
    [
      '--iptables=false',
      '--bridge=none',
      '-H',
      `unix://${socket}`,
      '--data-root',
      join(at, 'data'),
      '--exec-root',
      join(at, 'exec'),
      '--pidfile',
      join(at, 'pid'),
    ],
    { stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')] },
  );
  await until(() => existsSync(socket) || daemon.exitCode !== null, `dockerd starts (see ${log})`);
  if (daemon.exitCode !== null) throw new Error(`dockerd does not start here: see ${log}`);
  return {
    socket,
    ...connect(socket),
    async stop() {
      const ended = new Promise(resolve => daemon.once('exit', resolve));
      daemon.kill();
      await ended;
      // dockerd leaves the namespace of host networking mounted.
      spawnSync('umount', [join(at, 'exec', 'netns', 'default')]);
      rmSync(at, { recursive: true, force: true });
    },
  };
}

export function connect(socket: string): Engine {
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` };
  return {
    docker(...args) {
      const { status, stdout, stderr } = spawnSync('docker', args, {
        env,
        encoding: 'utf8',
        maxBuffer: MAX_OUTPUT,
      });
      if (status !== 0)
        throw new Error(`docker ${args.join(' ')} failed:\n${stdout.slice(-4_000)}\n${stderr}`);
      return stdout.trim();
    },
    dockerAsync: (...args) =>
      new Promise(resolve => {
        const child = spawn('docker', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (data: Buffer) => (output += data.toString()));
        child.once('close', code => resolve({ code, output }));
      }),
  };
}

/** What the Dockerfile needs of this repository, in a folder that a test may change. */
export function makeContext(): string {
  const context = mkdtempSync(join(tmpdir(), 'context-'));
  for (const name of CONTEXT) cpSync(join(ROOT, name), join(context, name), { recursive: true });
  return context;
}

/** Builds a target of the Dockerfile as `cabe-arena-api:TARGET`. @returns what the build printed */
export async function build(engine: Engine, context: string, target: string): Promise<string> {
  const options = ['--network=host', '--build-arg', `BASE=${BASE}`, '--target', target];
  const tag = `cabe-arena-api:${target}`;
  const { code, output } = await engine.dockerAsync('build', ...options, '-t', tag, context);
  if (code !== 0) throw new Error(output.slice(-4_000));
  return output;
}

/** Debian with node and npm of this machine; its certificates and npm's settings, too, as the build needs the registry. */
export function makeBase({ docker }: Engine): void {
  const at = mkdtempSync(join(tmpdir(), 'base-'));
  const root = join(at, 'root');
  run('debootstrap', ['--variant=minbase', '--include=tini,ca-certificates,libatomic1', 'bookworm', root]);
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm');
  const modules = join(root, 'usr/local/lib/node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(process.execPath, join(root, 'usr/local/bin/node'), { dereference: true });
  cpSync(npm, join(modules, 'npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  if (existsSync(certificates)) cpSync(certificates, join(root, certificates));
  const settings = join(root, 'usr/local/etc/npmrc');
  mkdirSync(dirname(settings), { recursive: true });
  run('sh', [
    '-c',
    `cat "$HOME/.npmrc" "$(npm config get globalconfig)" > '${settings}' 2> /dev/null || true`,
  ]);
  run('sh', ['-c', `tar -C '${root}' -c . > '${at}/root.tar'`]);
  docker(
    'import',
    '--change',
    `ENV NODE_EXTRA_CA_CERTS=${certificates} SSL_CERT_FILE=${certificates}`,
    '--change',
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    join(at, 'root.tar'),
    BASE,
  );
  rmSync(at, { recursive: true, force: true });
}

/** @throws Error with what the program printed if it fails, or naming it if it is missing */
export function run(program: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (error !== undefined) throw new Error(`${program} cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`${program} failed: ${String(stderr).slice(-2_000)}`);
}
