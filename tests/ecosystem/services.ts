/** The built product as it is run: alone, by its native supervisor, or by PM2; always with one worker. */
import { join } from 'node:path';
import {
  cleanUp,
  folder,
  freePort,
  parse,
  request,
  start,
  until,
  type LogLine,
  type Running,
} from '../support/processes.js';
import { Pm2 } from '../support/pm2.js';

export type Way = 'alone' | 'native' | 'PM2';

export interface Served {
  readonly port: number;
  readonly lines: () => LogLine[];
  /** The first line of the log that matches, now or later. */
  readonly said: (pattern: RegExp | ((line: LogLine) => boolean)) => Promise<LogLine>;
  /** Drains and ends it. */
  readonly stop: () => Promise<void>;
}

const daemons = new Set<Pm2>();

/** Ends everything that was started here, also what has been stopped already. */
export async function endAll(): Promise<void> {
  const ended = await Promise.allSettled([...daemons].map(daemon => daemon.end()));
  daemons.clear();
  await cleanUp();
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
}

/** Serves the build in that folder. @param env what the shell has beside a PATH */
export async function serve(way: Way, at: string, env: Readonly<Record<string, string>>): Promise<Served> {
  const port = await freePort();
  const shell = {
    FEATURES: 'on',
    HOST: '127.0.0.1',
    PORT: String(port),
    WEB_CONCURRENCY: '1',
    NO_COLOR: '1',
    ...env,
  };
  const served = way === 'PM2' ? await byPm2(at, shell) : bySpawning(way, at, shell);
  await served.said(/HTTP server started successfully/);
  await until(async () => (await request(port, '/readyz')).status === 200, 'it is ready');
  return { port, ...served };
}

type Started = Omit<Served, 'port'>;

function bySpawning(way: 'alone' | 'native', at: string, shell: Readonly<Record<string, string>>): Started {
  const program = join(at, 'dist', way === 'alone' ? 'index.js' : 'cluster.js');
  return ofProcess(start([program], { RUN_DIR: folder(), ...shell }, at));
}

export function ofProcess(running: Running): Started {
  return {
    lines: () => [...running.lines],
    said: pattern => running.said(pattern),
    stop: async () => {
      running.kill('SIGTERM');
      const { code } = await running.ended;
      if (code !== 0) throw new Error(`it ended with ${code}; it said\n${running.text()}`);
    },
  };
}

async function byPm2(at: string, shell: Readonly<Record<string, string>>): Promise<Started> {
  const pm2 = new Pm2(shell);
  daemons.add(pm2);
  const { code, text } = await pm2.runFrom({ cwd: at }, 'start', 'ecosystem.config.js');
  const lines = (): LogLine[] => pm2.logs().map(parse);
  if (code !== 0) throw new Error(`pm2 start ended with ${code}; it said\n${text}\n${pm2.logs().join('\n')}`);
  // The daemon has them, whose workers start with what it has; the commands that follow need none.
  delete pm2.env['NODE_OPTIONS'];
  return {
    lines,
    said: async pattern => {
      const matches = pattern instanceof RegExp ? (line: LogLine) => pattern.test(line.msg) : pattern;
      let found: LogLine | undefined;
      await until(
        () => (found = lines().find(matches)) !== undefined,
        `${String(pattern)} is in the log`,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}; the log is\n${pm2.logs().join('\n')}`);
      });
      return found as LogLine;
    },
    stop: async () => {
      await pm2.run('stop', 'cabe-arena-api');
    },
  };
}
