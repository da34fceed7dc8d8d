/** A native service of a test's own: started until all of it serves, asked over its control socket. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Status } from '../../src/supervisor/report/status.js';
import {
  CLUSTER,
  folder,
  follow,
  freePort,
  noteSupervisor,
  request,
  ROOT,
  start,
  until,
  WORKER,
  type Answer,
  type Running,
} from './processes.js';

export interface Service extends Running {
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface ServiceOptions {
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Behind `node dist/cluster.js`. */
  readonly args?: readonly string[];
  /** What starts the supervisor ends once it serves, as a shell that has put it into the background. */
  readonly orphan?: boolean;
}

/** A launcher that ends once the service serves, as a shell that has put it into the background. */
export const ORPHAN = [
  'sh',
  '-c',
  '"$@" & until [ -S "$RUN_DIR/supervisor.sock" ]; do sleep 0.05; done',
  'sh',
];

/** Our own service, all of its workers serving. */
export async function service(options: ServiceOptions = {}): Promise<Service> {
  const { workers = 2, env = {}, args = [], orphan = false } = options;
  const port = await freePort();
  const all = {
    PORT: String(port),
    WEB_CONCURRENCY: String(workers),
    RUN_DIR: folder(),
    NO_COLOR: '1',
    ...env,
  };
  const running = start([CLUSTER, ...args], all, ROOT, orphan ? ORPHAN : []);
  await untilServing(running, all, workers);
  return Object.assign(running, { port: Number(all.PORT), env: all });
}

async function untilServing(running: Running, env: Service['env'], workers: number): Promise<void> {
  await until(() => {
    // The shell that has started an orphan ends with 0.
    if (running.child.exitCode)
      throw new Error(`the service ended before it served; it said\n${running.text()}`);
    return served(running).length >= workers;
  }, 'every worker serves');
  // The supervisor hears of it a moment after the log.
  await until(async () => (await statusOf({ env })).state === 'ready', 'the supervisor knows it');
  // Workers say so in their log a moment before the supervisor gets the message.
  await until(
    async () => (await serving({ env }).catch(() => [])).length >= workers,
    'the supervisor knows that every worker serves',
  );
  noteSupervisor((await statusOf({ env })).supervisor.pid);
}

/**
 * Our own service on a socket that is bound already and handed over as systemd does it: `port` is that socket's, and
 * `PORT` names another one.
 */
export async function activated(options: ServiceOptions = {}): Promise<Service> {
  const { workers = 2, env = {}, args = [], orphan = false } = options;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { fd } = Reflect.get(server, '_handle') as { readonly fd: number };
  const all = {
    PATH: process.env['PATH'] ?? '',
    PORT: String(await freePort()),
    WEB_CONCURRENCY: String(workers),
    RUN_DIR: folder(),
    ...env,
  };
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"';
  const [command = '', ...launcher] = orphan ? ORPHAN : ['env'];
  const running = follow(
    spawn(command, [...launcher, 'sh', '-c', script, process.execPath, CLUSTER, ...args], {
      env: all,
      stdio: ['ignore', 'pipe', 'pipe', fd],
      detached: true,
    }),
  );
  server.close(); // ours; the socket lives on in the supervisor
  await untilServing(running, all, workers);
  return Object.assign(running, { port, env: all });
}

/** The pids of the workers that have ever said that they serve, the first ones first. */
export const served = ({ lines }: Running): number[] =>
  lines.flatMap(({ msg }) => /\bWorker (\d+) HTTP server started/.exec(msg)?.[1] ?? []).map(Number);

export const messages = ({ lines }: Running): string[] => lines.map(({ msg }) => msg);

/** Whether a server answers there. */
export const answers = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  request(port, '/health', { host }).then(
    () => true,
    () => false,
  );

/** One request over the control socket of this service. */
export function control(
  { env }: Pick<Service, 'env'>,
  method: string,
  path: string,
  body?: string,
): Promise<Answer> {
  const socketPath = join(env['RUN_DIR'] ?? '', 'supervisor.sock');
  return request(0, path, { socketPath, method, ...(body === undefined ? {} : { body }) });
}

export async function statusOf(running: Pick<Service, 'env'>): Promise<Status> {
  return (await control(running, 'GET', '/status')).json() as Status;
}

/** What `status --json` says of the service as a whole; nothing where there is no answer yet. */
export function stateIn(text: string): string | undefined {
  return text.startsWith('{') ? (JSON.parse(text) as Status).state : undefined;
}

/** The pids of the workers that serve now, in the order of their slots. */
export async function serving(running: Pick<Service, 'env'>): Promise<number[]> {
  const { workers } = await statusOf(running);
  return workers.flatMap(({ state, pid }) => (state === 'ready' && pid !== null ? [pid] : []));
}

/** An app file of a test's own, with the program `app.js` beside it. @returns the path of the file */
export function appFile(program: string, fields: object = {}): string {
  const at = folder();
  writeFileSync(join(at, 'app.js'), program);
  const app = { name: 'test-app', script: './app.js', exec_mode: 'cluster', instances: 2, ...fields };
  writeFileSync(join(at, 'ecosystem.config.js'), `module.exports = { apps: [${JSON.stringify(app)}] };`);
  return join(at, 'ecosystem.config.js');
}

/** The program of our own worker, for an {@link appFile} that adds something to it. */
export const OUR_WORKER = `require(${JSON.stringify(WORKER)});`;

/** What an {@link appFile} says of our own worker, in place of the real app file. */
export const OUR_FIELDS = {
  wait_ready: true,
  listen_timeout: 15_000,
  shutdown_with_message: true,
  kill_timeout: 9_000,
};

/** A program for an {@link appFile} that forks harmless workers, and serves nothing. */
export const IDLE = `process.on('message', () => process.exit(0)); process.send('ready'); setInterval(() => 0, 1_000);`;

/** What an {@link appFile} says of it. */
export const IDLE_FIELDS = { wait_ready: true, shutdown_with_message: true, instances: 1, min_uptime: 100 };
