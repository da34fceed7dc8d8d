/** The stack of `deploy/swarm` behind the HAProxy of `deploy/haproxy`: rolled out and rolled back under strict load. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, request, ROOT, until } from '../support/processes.js';
import { strictClient } from '../support/strict-client.js';
import type { PrivateEngine } from './engine.js';

const STACK = 'cabe-arena';
const SERVICE = `${STACK}_api`;
const UPDATE_PATIENCE_MS = 180_000;

export function swarmTests(engineOf: () => PrivateEngine): void {
  let engine: PrivateEngine;
  let proxy: ChildProcess;
  let port: number;
  let otherPrefix: number;

  beforeAll(async () => {
    engine = engineOf();
    engine.docker('swarm', 'init', '--advertise-addr=127.0.0.1', '--listen-addr=127.0.0.1:2377');
    const prefix = await freePrefix();
    otherPrefix = await freePrefix();
    await deploy({ TAG: 'native', PORT_PREFIX: prefix });
    for (const slot of [1, 2])
      await until(() => isReady(Number(`${prefix}${slot}`)), `task ${slot} is ready`, UPDATE_PATIENCE_MS);
    port = await freePort();
    proxy = spawn('haproxy', ['-db', '-f', join(ROOT, 'deploy', 'haproxy', 'haproxy.cfg')], {
      env: {
        PATH: process.env['PATH'],
        BIND: `127.0.0.1:${port}`,
        SERVER_1: `127.0.0.1:${prefix}1`,
        SERVER_2: `127.0.0.1:${prefix}2`,
        SERVER_3: `127.0.0.1:${otherPrefix}1`,
        SERVER_4: `127.0.0.1:${otherPrefix}2`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    proxy.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    // Until its checks have failed twice, HAProxy takes the servers on the other ports for up.
    await until(() => [3, 4].every(server => said.includes(`api-${server} is DOWN`)), 'HAProxy has checked');
    await until(() => isReady(port), 'HAProxy answers');
  });
  afterAll(async () => {
    proxy.kill();
    if (proxy.exitCode === null) await once(proxy, 'exit');
    engine.docker('swarm', 'leave', '--force');
  });

  /** Digits that a task's slot makes a port of this process' own. */
  async function freePrefix(): Promise<number> {
    for (;;) {
      const first = await freePort();
      if (first % 10 === 1 && (await freePort()) === first + 1) return (first - 1) / 10;
    }
  }

  const isReady = async (at: number): Promise<boolean> =>
    (await request(at, '/readyz').catch(() => undefined))?.status === 200;

  /** `docker stack deploy` with the variables of the file. */
  async function deploy(variables: Readonly<Record<string, unknown>>): Promise<void> {
    const file = join(ROOT, 'deploy', 'swarm', 'stack.yml');
    const values = Object.entries(variables).map(([name, value]) => [name, String(value)]);
    const child = spawn('docker', ['stack', 'deploy', '-c', file, '--resolve-image=never', STACK], {
      env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, ...Object.fromEntries(values) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
  }

  /** A field of the last update. Asked twice a second: each question starts a program, whose CPU time the service lacks. */
  async function status(field: 'State' | 'StartedAt'): Promise<string> {
    await new Promise(resolve => setTimeout(resolve, 500));
    const format = `{{with .UpdateStatus}}{{.${field}}}{{end}}`;
    return (await engine.dockerAsync('service', 'inspect', '-f', format, SERVICE)).output.trim();
  }

  /** Rolls something out under load. @returns how the update ended, and what the clients saw */
  async function update(rollOut: () => void | Promise<void>): Promise<{ state: string; failures: object }> {
    const client = strictClient({ port });
    // Until the update begins, the state is that of the update before it.
    const before = await status('StartedAt');
    await rollOut();
    await until(
      async () => (await status('StartedAt')) !== before,
      'the update has begun',
      UPDATE_PATIENCE_MS,
    );
    await until(
      async () => /completed|paused/.test(await status('State')),
      'the update has ended',
      UPDATE_PATIENCE_MS,
    );
    await until(() => client.sent >= 20_000, 'there was load enough', UPDATE_PATIENCE_MS);
    const { sent, failures, longestMs } = await client.stop();
    process.stderr.write(
      `${expect.getState().currentTestName}: ${sent} requests, failures ${JSON.stringify(failures)}, slowest ${longestMs} ms\n`,
    );
    return { state: await status('State'), failures };
  }

  function useImage(tag: string): void {
    const options = ['--detach', '--no-resolve-image', '--image', `cabe-arena-api:${tag}`];
    engine.docker('service', 'update', ...options, SERVICE);
  }

  test('a rolling update loses none of at least 20,000 requests', async () => {
    engine.docker('tag', 'cabe-arena-api:native', 'cabe-arena-api:next');
    expect(await update(() => useImage('next'))).toEqual({ state: 'completed', failures: {} });
  });

  test('a broken image is rolled back, while the service answers every request', async () => {
    const at = mkdtempSync(join(tmpdir(), 'broken-'));
    writeFileSync(
      join(at, 'Dockerfile'),
      'FROM cabe-arena-api:native\nCMD ["node", "-e", "process.exit(1)"]\n',
    );
    engine.docker('build', '-t', 'cabe-arena-api:broken', at);
    rmSync(at, { recursive: true, force: true });
    expect(await update(() => useImage('broken'))).toEqual({ state: 'rollback_completed', failures: {} });
  });

  test('with other ports, the new tasks start before the old ones stop, and no request is lost', async () => {
    const healthy = async (): Promise<number> =>
      (await engine.dockerAsync('ps', '-q', '--filter', 'health=healthy')).output.split('\n').filter(Boolean)
        .length;
    // The task that the rollback has started is not healthy before Docker's first check.
    await until(async () => (await healthy()) === 2, 'both tasks are healthy', UPDATE_PATIENCE_MS);
    let fewest = Infinity;
    const watch = setInterval(async () => {
      fewest = Math.min(fewest, await healthy());
    }, 1_000);
    const variables = { TAG: 'next', PORT_PREFIX: otherPrefix, ORDER: 'start-first' };
    const { state, failures } = await update(() => deploy(variables)).finally(() => clearInterval(watch));
    expect({ state, failures, fewest }).toEqual({ state: 'completed', failures: {}, fewest: 2 });
  });
}
