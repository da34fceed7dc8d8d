/** All that a scenario may ask of a supervisor, whichever it is. */

/** How a command ended, as its user sees it. */
export interface Outcome {
  readonly ok: boolean;
  readonly code: number | null;
  readonly text: string;
}

export type WorkerState = 'starting' | 'serving' | 'waiting' | 'leaving' | 'stopped' | 'errored';

/** One seat of the service as the supervisor's own listing tells it. */
export interface Listed {
  readonly pid: number | null;
  readonly state: WorkerState;
  readonly restarts: number;
}

export interface StartOptions {
  /** `production` takes `env_production`. */
  readonly envName?: string;
  /** The folder in which the command is given; else that of the app file. */
  readonly from?: string;
  /** A command that starts the supervisor and becomes it, such as `taskset -c 0`. */
  readonly launcher?: readonly string[];
}

export interface Driver {
  /** Resolves when the supervisor has taken the service, or refused it; not when its workers serve. */
  start(options?: StartOptions): Promise<Outcome>;
  stop(): Promise<Outcome>;
  reload(): Promise<Outcome>;
  scale(workers: number): Promise<Outcome>;
  killWorker(pid: number, signal?: NodeJS.Signals): void;
  /** Sends a signal to the supervisor itself; nothing where it has ended. */
  killSupervisor(signal?: NodeJS.Signals): void;
  /** Empty where the supervisor has ended. */
  workers(): Promise<readonly Listed[]>;
  /** What the workers have written to standard output and error. */
  logs(): readonly string[];
  /** What the supervisor itself has said of this service. */
  said(): readonly string[];
  /** How many workers it says it has started: those that never got as far as their journal count as well. */
  starts(): number;
  /** Whether the supervisor runs. */
  alive(): boolean;
  /** Its pid; nothing where it has not been started. */
  supervisor(): number | null;
  /** With what it has ended, if it has, and in the foreground: PM2's daemon tells nobody. */
  exitCode(): number | null;
  /** A second driver on the same machine, as another service of the same user. */
  beside(app: AppPlace): Driver;
  /** Ends everything. @throws Error if it had to be killed */
  end(): Promise<void>;
  /** Files of the supervisor's own that should have gone with it. */
  traces(): readonly string[];
}

/** Where the app is, and the shell in which commands are given. */
export interface AppPlace {
  readonly folder: string;
  readonly file: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

export const DRIVERS = ['pm2', 'native'] as const;
export type DriverName = (typeof DRIVERS)[number];

/** @throws Error if there is no such process: a pid of 0 would mean all of our own group */
export function signal(pid: number, name: NodeJS.Signals): void {
  if (!(pid > 0)) throw new Error(`there is no process ${pid} to send ${name} to`);
  process.kill(pid, name);
}
