/** Real PM2 with a home of its own, so that no test meets another's daemon, nor a developer's. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeServiceFolders } from '../../src/observability/service-folder.js';
import { isAlive, ROOT, until } from './processes.js';

/** No command of PM2 takes longer than this by itself; one that does waits for a daemon that will never answer. */
const COMMAND_MS = 60_000;

const PM2 = join(ROOT, 'node_modules', 'pm2', 'bin', 'pm2');

export interface Pm2Process {
  readonly pm_id: number;
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly NODE_APP_INSTANCE?: number;
    readonly axm_monitor: Readonly<Record<string, { readonly value: string; readonly unit: string }>>;
  };
}

export interface Result {
  readonly code: number;
  readonly text: string;
}

export class Pm2 {
  readonly home = mkdtempSync(join(tmpdir(), 'cabe-pm2-'));
  readonly env: Record<string, string>;
  #noted = 0;

  /** @param env the shell in which every command of this PM2 is given */
  constructor(env: Readonly<Record<string, string>> = {}) {
    const { PATH = '', HOME = '', EXPRESS_TUNING = 'on' } = process.env;
    const own = { PM2_HOME: this.home, PM2_DISCRETE_MODE: 'true', NO_COLOR: '1' };
    this.env = { PATH, HOME, EXPRESS_TUNING, FEATURES: 'off', ...own, ...env };
  }

  /** Gives a command; resolves with its output, for any exit code. */
  run(...args: string[]): Promise<Result> {
    return this.runFrom({ cwd: ROOT }, ...args);
  }

  /** Gives a command elsewhere; a launcher such as `taskset -c 0` starts it in its turn. */
  runFrom(
    {
      cwd,
      launcher = [],
      signal,
    }: {
      readonly cwd: string;
      readonly launcher?: readonly string[];
      readonly signal?: AbortSignal;
    },
    ...args: string[]
  ): Promise<Result> {
    const command = [...launcher, process.execPath, PM2, ...args];
    return new Promise(resolve => {
      const child = execFile(
        command[0] ?? '',
        command.slice(1),
        { env: this.env, cwd, encoding: 'utf8', timeout: COMMAND_MS, killSignal: 'SIGKILL', signal },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
          const tell = (): void => resolve({ code, text: stdout + stderr });
          // An aborted one is reported while it still runs.
          const lives = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
          if (lives) child.once('exit', tell);
          else tell();
        },
      );
    });
  }

  async list(): Promise<Pm2Process[]> {
    const { text } = await this.run('jlist');
    // The very first command prints that it starts a daemon, before the list.
    return JSON.parse(text.split('\n').findLast(line => line.startsWith('[')) ?? '[]') as Pm2Process[];
  }

  /** Everything that has reached the logs that `pm2 logs` shows. */
  logs(): string[] {
    const folder = join(this.home, 'logs');
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap(name =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(line => line !== ''),
    );
  }

  /**
   * Its pid as it was noted last; 0 where no daemon has been started. On a signal it takes its note away before it ends
   * (Daemon.js:355), and is alive until then.
   */
  get daemon(): number {
    const path = join(this.home, 'pm2.pid');
    if (existsSync(path)) this.#noted = Number(readFileSync(path, 'utf8'));
    return this.#noted;
  }

  /** Whether the daemon runs. A pid of 0 would mean ourselves. */
  get alive(): boolean {
    const { daemon } = this;
    return daemon > 0 && isAlive(daemon);
  }

  /** Ends the daemon and all that it runs, and removes its home. @throws Error if the daemon had to be killed */
  async end(): Promise<void> {
    const { daemon, alive } = this;
    const isOver = (): boolean => !alive || !isAlive(daemon);
    try {
      // Without a daemon the command would start one.
      if (!isOver()) {
        // A daemon that is leaving already takes the order and dies, and its client waits for the answer for ever.
        const over = new AbortController();
        const given = this.runFrom({ cwd: ROOT, signal: over.signal }, 'kill');
        await until(isOver, 'the daemon has ended').finally(() => over.abort());
        await given;
      }
    } finally {
      if (!isOver()) process.kill(daemon, 'SIGKILL');
      removeServiceFolders(daemon);
      rmSync(this.home, { recursive: true, force: true });
    }
  }
}
