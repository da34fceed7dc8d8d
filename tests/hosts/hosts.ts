/**
 * `yarn test:hosts`: three hosts with a native service each, behind the HAProxy of `deploy/haproxy`, under strict load. One
 * host after the other is restarted, reloaded, killed, cut off the network, and gets a hung worker. Writes the table of
 * docs/scaling.md; exits with 1 if a planned change has lost a request.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { cleanUp, CLUSTER, folder, freePort, request, ROOT, start, until } from '../support/processes.js';
import { serving, statusOf, type Service } from '../support/service.js';
import { strictClient, type Report } from '../support/strict-client.js';
import { makeHost, type Host } from './network.js';

const PAGE = join(ROOT, 'docs', 'scaling.md');
const PROXY = join(ROOT, 'deploy', 'haproxy', 'haproxy.cfg');
const HELP = `yarn test:hosts

Reloads, restarts, hangs, cuts off and kills three hosts, one after the other, behind HAProxy and under load. The hosts are
network namespaces with a native service each. Writes the table of docs/scaling.md; exits with 1 if a planned change has
lost a request. Takes 2 minutes. Needs root, iproute2 and haproxy.
`;
const HOSTS = 3;
const WORKERS = 2;
/** How long load goes on after the last change. */
const AFTER_MS = 2_000;
/** Longer than HAProxy takes to see that a host stops: 2 checks, 500 ms apart, of up to a second each. */
const DRAIN_DELAY_MS = 4_000;
const WATCHDOG_TIMEOUT_MS = 3_000;
const PATIENCE_MS = 30_000;

interface Node {
  readonly host: Host;
  readonly service: Service;
}

interface Scenario {
  readonly name: string;
  /** Nothing may be lost. */
  readonly isPlanned: boolean;
  act(nodes: Node[]): Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'reload of host after host',
    isPlanned: true,
    async act(nodes) {
      for (const { service } of nodes) {
        const { code } = await start([CLUSTER, 'reload'], service.env).ended;
        if (code !== 0) throw new Error(`reload ended with ${String(code)}`);
      }
    },
  },
  {
    name: 'restart of host after host',
    isPlanned: true,
    async act(nodes) {
      for (const [index, { host, service }] of nodes.entries()) {
        service.kill('SIGTERM');
        await service.ended;
        nodes[index] = await startNode(host, service.port);
        await isUp(nodes[index]);
      }
    },
  },
  {
    name: 'a worker hangs; its watchdog kills it after 3 s',
    isPlanned: false,
    async act([node]) {
      if (node === undefined) return;
      const [pid = 0] = await serving(node.service);
      process.kill(pid, 'SIGUSR2'); // its program blocks its loop
      await until(async () => !(await serving(node.service)).includes(pid), 'it is replaced', PATIENCE_MS);
      await until(async () => (await statusOf(node.service)).state === 'ready', 'both serve', PATIENCE_MS);
    },
  },
  {
    name: 'a host is cut off the network for 5 s',
    isPlanned: false,
    async act([, node]) {
      node?.host.cutOff();
      await new Promise(resolve => setTimeout(resolve, 5_000));
      node?.host.join();
      if (node !== undefined) await isUp(node);
    },
  },
  {
    name: 'a host is killed with all its processes, and started again',
    isPlanned: false,
    async act(nodes) {
      const [, , node] = nodes;
      if (node === undefined) return;
      for (const pid of node.host.pids()) process.kill(pid, 'SIGKILL');
      await node.service.ended;
      nodes[2] = await startNode(node.host, node.service.port);
      await isUp(nodes[2]);
    },
  },
];

/** Our own worker, which blocks its event loop at SIGUSR2. */
const PROGRAM = `process.on('SIGUSR2', () => { for (;;); }); require(${JSON.stringify(join(ROOT, 'dist', 'index.js'))});`;

async function startNode(host: Host, port: number): Promise<Node> {
  const at = folder();
  writeFileSync(join(at, 'app.js'), PROGRAM);
  const file = join(at, 'ecosystem.config.js');
  writeFileSync(
    file,
    `const { apps: [app] } = require(${JSON.stringify(join(ROOT, 'ecosystem.config.js'))});
     module.exports = { apps: [{ ...app, script: './app.js', cwd: __dirname }] };`,
  );
  const env = {
    PORT: String(port),
    WEB_CONCURRENCY: String(WORKERS),
    LOG_LEVEL: 'warn',
    RUN_DIR: folder(),
    DRAIN_DELAY_MS: String(DRAIN_DELAY_MS),
    WATCHDOG_TIMEOUT_MS: String(WATCHDOG_TIMEOUT_MS),
  };
  const running = start([CLUSTER, '--config', file], env, ROOT, host.launcher);
  const node = { host, service: Object.assign(running, { port, env }) };
  await until(() => isReady(host.address, port), `${host.name} is ready`, PATIENCE_MS);
  return node;
}

const isReady = async (host: string, port: number): Promise<boolean> =>
  (await request(port, '/readyz', { host, timeout: 1_000 }).catch(() => undefined))?.status === 200;

/** HAProxy has seen it, too: it asks every 500 ms. */
async function isUp({ host, service }: Node): Promise<void> {
  await until(() => isReady(host.address, service.port), `${host.name} is ready`, PATIENCE_MS);
  await new Promise(resolve => setTimeout(resolve, 1_000));
}

/** The configuration of `deploy/haproxy`. */
async function startProxy(nodes: readonly Node[]): Promise<{ proxy: ChildProcess; port: number }> {
  const port = await freePort();
  const servers = nodes.map(({ host, service }, index) => [
    `SERVER_${index + 1}`,
    `${host.address}:${service.port}`,
  ]);
  const proxy = spawn('haproxy', ['-db', '-q', '-f', PROXY], {
    env: { PATH: process.env['PATH'], BIND: `127.0.0.1:${port}`, ...Object.fromEntries(servers) },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await until(() => isReady('127.0.0.1', port), 'HAProxy answers', PATIENCE_MS);
  return { proxy, port };
}

async function underLoad(port: number, act: () => Promise<void>): Promise<Report> {
  const client = strictClient({ port });
  await until(() => client.sent > 500, 'there is load', PATIENCE_MS);
  await act();
  await new Promise(resolve => setTimeout(resolve, AFTER_MS));
  return client.stop();
}

function row({ name }: Scenario, { sent, failures, longestMs, longestGapMs }: Report): string {
  const kinds = Object.entries(failures).map(([kind, count]) => `${count} ${kind}`);
  const lost = kinds.length === 0 ? '0' : kinds.join(', ');
  return `| ${name} | ${sent} | ${lost} | ${Math.round(longestMs)} ms | ${Math.round(longestGapMs)} ms |`;
}

/** Replaces the table between the two marks. */
async function write(rows: readonly string[]): Promise<void> {
  const head = [
    '| event | requests | failed | slowest answer | longest gap |',
    '| --- | --: | --- | --: | --: |',
  ];
  const [before = '', , after = ''] = readFileSync(PAGE, 'utf8').split(/<!-- (?:hosts|\/hosts) -->/);
  const table = [...head, ...rows].join('\n');
  const page = `${before}<!-- hosts -->\n\n${table}\n\n<!-- /hosts -->${after}`;
  const options = await resolveConfig(PAGE);
  writeFileSync(PAGE, await format(page, { ...options, parser: 'markdown' }));
}

async function main(): Promise<void> {
  const hosts: Host[] = [];
  let proxy: ChildProcess | undefined;
  try {
    for (let number = 1; number <= HOSTS; number++) hosts.push(makeHost(number));
    const port = await freePort();
    const nodes = await Promise.all(hosts.map(host => startNode(host, port)));
    const started = await startProxy(nodes);
    proxy = started.proxy;
    const rows: string[] = [];
    for (const scenario of SCENARIOS) {
      const report = await underLoad(started.port, () => scenario.act(nodes));
      const isLost = scenario.isPlanned && Object.keys(report.failures).length > 0;
      rows.push(row(scenario, report));
      console.log(`${isLost ? '✗' : '✓'} ${rows.at(-1)}`);
      for (const example of report.examples) console.log(`    ${example}`);
      if (isLost) process.exitCode = 1;
    }
    await write(rows);
  } finally {
    proxy?.kill();
    await cleanUp();
    for (const host of hosts) host.remove();
  }
}

const [argument] = process.argv.slice(2);
if (argument === undefined) void main();
else if (['--help', '-h'].includes(argument)) process.stdout.write(HELP);
else {
  process.stderr.write(`There is no option ${argument}\n\n${HELP}`);
  process.exitCode = 2;
}
