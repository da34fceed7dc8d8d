/** The image of the Dockerfile, built and run by a real engine. */
import { appendFileSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cleanUp, freePort, request, ROOT, until } from '../support/processes.js';
import { strictClient } from '../support/strict-client.js';
import { BASE, build, type Engine } from './engine.js';

/** Megabytes that the image adds to its base, and packages in `node_modules`: raise them only on purpose. */
const [README_MEGABYTES, README_PACKAGES] = (
  /the image adds (\d+) MB and (\d+) packages/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
)
  .slice(1)
  .map(Number);

/** @param context the build's context, which is changed */
export function imageTests(engineOf: () => Engine, context: string): void {
  let engine: Engine;
  beforeAll(() => void (engine = engineOf()));
  afterEach(async () => {
    const left = engine.docker('ps', '-aq').split('\n').filter(Boolean);
    if (left.length > 0) engine.docker('rm', '-f', ...left);
    await cleanUp();
  });

  interface Container {
    readonly id: string;
    readonly port: number;
    logs(): string;
  }

  async function runContainer(
    options: readonly string[] = [],
    target = 'native',
    port?: number,
  ): Promise<Container> {
    port ??= await freePort();
    const network = ['--network=host', '-e', `PORT=${port}`];
    const id = engine.docker('run', '-d', ...network, ...options, `cabe-arena-api:${target}`);
    const logs = (): string => engine.docker('logs', id);
    await until(async () => {
      if (engine.docker('inspect', '-f', '{{.State.Running}}', id) !== 'true')
        throw new Error(`the container has ended:\n${logs()}`);
      return (await request(port, '/readyz').catch(() => undefined))?.status === 200;
    }, 'the container is ready');
    return { id, port, logs };
  }

  const HARDENED = ['--read-only', '--tmpfs=/tmp', '--cap-drop=ALL', '--security-opt=no-new-privileges'];

  test('runs read-only, without capabilities, as a user without privileges, below an init process', async () => {
    const { id, port } = await runContainer(HARDENED);
    expect((await request(port, '/health')).status).toBe(200);
    expect(engine.docker('exec', id, 'id', '-u')).toBe('1000');
    expect(engine.docker('exec', id, 'readlink', '/proc/1/exe')).toMatch(/tini/);
    expect(engine.docker('exec', id, 'node', 'dist/cluster.js', 'status')).toMatch(/^✓ cabe-arena-api ready/);
    expect(engine.docker('exec', id, 'node', 'deploy/healthcheck.cjs')).toBe('');
  });

  test('its user reads the compile cache of the build, and cannot change it', async () => {
    const { id } = await runContainer(HARDENED);
    const inContainer = (script: string): string => engine.docker('exec', id, 'sh', '-c', script);
    const readable = inContainer('find dist/.compile-cache -path "*-$(id -u)/*" -type f -readable');
    const bundles = 'enableCompileCache' in module ? ['cluster', 'worker'] : [];
    expect(readable.split('\n').filter(Boolean)).toHaveLength(bundles.length);
    expect(inContainer('find dist/.compile-cache ! -user root')).toBe('');
  });

  test('--cpus=1.5 gives one worker, and the log says why', async () => {
    const { logs } = await runContainer(['--cpus=1.5', '-e', 'NODE_ENV=production']);
    expect(logs()).toMatch(/Forking 1 workers/);
    expect(cpus().length).toBeGreaterThan(1);
  });

  test('a memory limit below max_memory_restart is a warning', async () => {
    const { logs } = await runContainer(['--memory=512m']);
    expect(logs()).toMatch(
      /max_memory_restart .* is not below the memory limit of the control group \(512\.0 MB\)/,
    );
  });

  test('docker stop drains: no request fails while a balancer takes the container out', async () => {
    const { id, port } = await runContainer(['-e', 'DRAIN_DELAY_MS=2000', '-e', 'WEB_CONCURRENCY=2']);
    const client = strictClient({ port });
    await until(() => client.sent > 2_000, 'there is load');
    const stopping = engine.dockerAsync('stop', '--time=15', id);
    let probed: number | Error = 200;
    await until(async () => {
      probed = await request(port, '/readyz').then(
        ({ status }) => status,
        (error: Error) => error,
      );
      return probed !== 200;
    }, 'the balancer sees it');
    const { failures, answered, longestMs } = await client.stop();
    process.stderr.write(
      `docker stop: ${answered} requests, failures ${JSON.stringify(failures)}, slowest ${longestMs} ms\n`,
    );
    expect((await stopping).code).toBe(0);
    expect({ probed, failures }).toEqual({ probed: 503, failures: {} });
    expect(answered).toBeGreaterThan(2_000);
    expect(engine.docker('inspect', '-f', '{{.State.ExitCode}}', id)).toBe('0');
  });

  test('docker kill leaves no process and no socket behind', async () => {
    const { id, port } = await runContainer(['-e', 'WEB_CONCURRENCY=2']);
    engine.docker('kill', id);
    await until(
      async () => (await request(port, '/health').catch(() => undefined)) === undefined,
      'it is gone',
    );
    expect((await runContainer([], 'native', port)).id).not.toBe(id);
  });

  test('a change of code rebuilds in seconds, without an installation', async () => {
    appendFileSync(join(context, 'src', 'version.ts'), '\n// changed\n');
    const output = await build(engine, context, 'native');
    expect(output.match(/yarn\.cjs install[^\n]*\n[^\n]*(Using cache|CACHED)/)).not.toBeNull();
  });

  test('is no larger than the README says, in megabytes and packages', async () => {
    const size = (image: string): number => Number(engine.docker('inspect', '-f', '{{.Size}}', image)) / 1e6;
    const added = size('cabe-arena-api:native') - size(BASE);
    const packages = Number(
      engine.docker(
        'run',
        '--rm',
        'cabe-arena-api:native',
        'sh',
        '-c',
        'find node_modules -name package.json | grep -cE "node_modules/(@[^/]+/)?[^/]+/package.json$"',
      ),
    );
    process.stderr.write(`image: ${added.toFixed(1)} MB above its base, ${packages} packages\n`);
    expect(Math.round(added)).toBeLessThanOrEqual(Number(README_MEGABYTES));
    expect(packages).toBe(README_PACKAGES);
    expect(() =>
      engine.docker(
        'run',
        '--rm',
        'cabe-arena-api:native',
        'ls',
        'node_modules/pm2',
        'node_modules/pino-pretty',
      ),
    ).toThrow(/No such file/);
  });

  test('its label has the version that it serves', async () => {
    const { id, port } = await runContainer();
    const label = '{{index .Config.Labels "org.opencontainers.image.version"}}';
    const { version } = (await request(port, '/api/status')).json() as { version: string };
    expect(engine.docker('inspect', '-f', label, id)).toBe(version);
    expect(engine.docker('exec', id, 'node', 'dist/cluster.js', '--version')).toContain(version);
  });

  test('the distroless image has no shell, and serves', async () => {
    await build(engine, context, 'distroless');
    const { id, port } = await runContainer(HARDENED, 'distroless');
    expect((await request(port, '/health')).status).toBe(200);
    expect(() => engine.docker('exec', id, 'sh', '-c', 'true')).toThrow(/executable file not found/);
    expect(engine.docker('exec', id, 'node', 'deploy/healthcheck.cjs')).toBe('');
  });

  test('the image with pm2-runtime serves with the same worker', async () => {
    await build(engine, context, 'pm2');
    const { id, port } = await runContainer([], 'pm2');
    expect((await request(port, '/health')).status).toBe(200);
    engine.docker('stop', '--time=15', id);
    expect(engine.docker('inspect', '-f', '{{.State.ExitCode}}', id)).toBe('0');
  });
}
