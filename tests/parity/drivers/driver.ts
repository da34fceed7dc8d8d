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
  /** Sends a signal to the supervisor itself. */
  killSupervisor(signal?: NodeJS.Signals): void;
  /** Empty where the supervisor has ended. */
  workers(): Promise<readonly Listed[]>;
  /** What the workers have written to standard output and error. */
  logs(): readonly string[];
  /** Whether the supervisor runs. */
  alive(): boolean;
  /** A second driver on the same machine, as another service of the same user. */
  beside(app: AppPlace): Driver;
  /** Ends everything. */
  end(): Promise<void>;
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
