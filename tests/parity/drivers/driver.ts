/** What a scenario can ask of a supervisor; PM2 and native implement it. */

/** How a command ended, as its user sees it. */
export interface CommandResult {
  readonly ok: boolean;
  readonly code: number | null;
  readonly text: string;
}

export type WorkerState = 'starting' | 'serving' | 'waiting' | 'draining' | 'stopped' | 'errored';

/** A slot in the supervisor's own listing. */
export interface ListedWorker {
  readonly pid: number | null;
  readonly state: WorkerState;
  readonly restarts: number;
}

export interface ReloadOptions {
  /** `production` applies `env_production`. */
  readonly envName?: string;
}

/** How `--env` is written. */
export const envOption = ({ envName }: ReloadOptions): string[] =>
  envName === undefined ? [] : ['--env', envName];

export interface StartOptions extends ReloadOptions {
  /** The folder in which the command is given; by default that of the app file. */
  readonly from?: string;
  /** A command that replaces itself with the supervisor, such as `taskset -c 0`. */
  readonly launcher?: readonly string[];
}

export interface Driver {
  /** Resolves when the supervisor has accepted or refused the service, not when its workers serve. */
  start(options?: StartOptions): Promise<CommandResult>;
  stop(): Promise<CommandResult>;
  /** With the environment of the last start or reload, unless options name another one, or none. */
  reload(options?: ReloadOptions): Promise<CommandResult>;
  scale(workers: number): Promise<CommandResult>;
  killWorker(pid: number, signal?: NodeJS.Signals): void;
  /** Sends a signal to the supervisor itself, SIGKILL by default; does nothing if it has ended. */
  killSupervisor(signal?: NodeJS.Signals): void;
  /** Empty if the supervisor has ended. */
  workers(): Promise<readonly ListedWorker[]>;
  /** Lines that the workers have written to standard output and error. */
  workerLogs(): readonly string[];
  /** Lines that the supervisor has written about this service. */
  supervisorLog(): readonly string[];
  /** How many workers the supervisor says it has forked, also those that died before they wrote to their journal. */
  forkCount(): number;
  /** Whether the supervisor runs. */
  supervisorRuns(): boolean;
  /** `null` if it has not been started. */
  supervisorPid(): number | null;
  /** Exit code of a supervisor in the foreground; `null` while it runs, and always under PM2's daemon. */
  exitCode(): number | null;
  /** A driver for another service of the same user. */
  createSecond(app: AppLocation): Driver;
  /** Ends everything. @throws Error if it had to be killed */
  end(): Promise<void>;
  /** Files of the supervisor that it should have removed. */
  leftoverFiles(): readonly string[];
}

/** Where the app is, and the environment in which commands are given. */
export interface AppLocation {
  readonly folder: string;
  readonly file: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

export const DRIVERS = ['pm2', 'native'] as const;
export type DriverName = (typeof DRIVERS)[number];

/** @throws Error if the pid is not positive: 0 would signal our own process group */
export function signal(pid: number, name: NodeJS.Signals): void {
  if (!(pid > 0)) throw new Error(`there is no process ${pid} to send ${name} to`);
  process.kill(pid, name);
}
