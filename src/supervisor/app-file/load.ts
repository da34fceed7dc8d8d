/** What an app file says: checked as a whole, and resolved to what one supervisor runs. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { errors, type InvalidValue } from '../../errors.js';
import { readMemoryLimit } from '../../platform/memory.js';
import { isWorkerFile } from '../../worker-file.js';
import { findDeployed, findEntry, nameOf, within } from './entries.js';
import { resolveEnvironment } from './environment.js';
import type { MemoryShare } from './fields.js';
import { readPm2Settings, type Pm2Settings } from './pm2-settings.js';
import type { AppFile } from './read.js';
import { look, refuseValues } from './refused.js';
import { resolveUser, type RunAs } from './run-as.js';
import { environmentWarnings, fieldWarnings, fileWarnings } from './unfollowed.js';
import { unfollowedWatchOptions, type WatchOptions } from './watch-options.js';
import { patternWarnings, type WatchPatterns } from './watch-patterns.js';
import { rawField, readField, type Entry, type Read } from './written.js';
import type { Policy } from '../core/model.js';

/** What is watched for changes, and how. */
export interface Watch extends WatchPatterns {
  readonly delayMs: number;
  readonly options: WatchOptions;
}

/** One app of an app file, checked and resolved: everything the supervisor needs to run it. */
export interface App {
  /** Absolute path of the app file. */
  readonly file: string;
  readonly name: string;
  /** Absolute path of the program. */
  readonly script: string;
  readonly cwd: string;
  readonly args: readonly string[];
  readonly nodeArgs: readonly string[];
  readonly namespace: string;
  /** The user that workers run as; `undefined` for the user of the supervisor. */
  readonly runAs: RunAs | undefined;
  /** Whether stack traces name the sources. */
  readonly sourceMaps: boolean;
  /** As written: so many, `0` = one for each CPU, negative = all CPUs but so many. */
  readonly instances: number;
  readonly instanceVar: string;
  readonly incrementVar: string | undefined;
  /** The whole environment of a worker, less the variables that number instances. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it is our own worker, which knows more words than PM2's. */
  readonly ours: boolean;
  readonly shutdownWithMessage: boolean;
  /** The order to stop, where it is a signal. */
  readonly killSignal: NodeJS.Signals;
  /** Whether the processes that a worker has started end with it. */
  readonly treekill: boolean;
  readonly maxMemoryBytes: number | undefined;
  readonly cronRestart: string | undefined;
  readonly watch: Watch | undefined;
  readonly policy: Policy;
}

/** An app as its file describes it. Whether it is our own worker depends on its path and the environment. */
export interface DescribedApp extends Omit<App, 'ours' | 'policy' | 'sourceMaps'> {
  readonly policy: Policy;
  /** Nothing where the file does not say. */
  readonly sourceMaps: boolean | undefined;
}

export interface LoadRequest {
  /** Name of the app, where the file describes several. */
  readonly only?: string | undefined;
  /** `production` takes `env_production` on top of `env`. */
  readonly envName?: string | undefined;
  /** The environment that the file's variables are laid over. */
  readonly shell: NodeJS.ProcessEnv;
}

/** What was found out about an app beyond its file, with what is wrong there and what is worth a warning. */
export interface Checked {
  readonly invalid: readonly InvalidValue[];
  readonly warnings: readonly string[];
}

export interface LoadedApp<T extends Checked> {
  readonly app: DescribedApp;
  readonly checked: T;
  /** What is not followed, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * @param check what else must be right for this app; all problems are reported together. There is no app where the file
 *   has none
 * @throws ServiceError with every problem and every warning: INVALID_CONFIGURATION, or NOT_BUILT or NO_PROGRAM where
 *   only the program is missing
 */
export function loadApp<T extends Checked>(
  file: AppFile,
  request: LoadRequest,
  check: (app: DescribedApp | undefined) => T,
): LoadedApp<T> {
  const problems: InvalidValue[] = [];
  const entry = findEntry(file, request.only, problems);
  const deployed = findDeployed(file, request.envName, problems);
  const app = entry === undefined ? undefined : resolveApp(entry, deployed, file.path, request, problems);
  const checked = check(app);
  problems.push(...checked.invalid);
  const warnings = [
    ...fileWarnings(file),
    ...(entry === undefined ? [] : fieldWarnings(entry)),
    ...(entry === undefined ? [] : environmentWarnings(entry, deployed, request.envName)),
    ...unfollowedWatchOptions(entry && rawField(entry, 'watch_options')),
    ...(app?.watch === undefined ? [] : patternWarnings(app.watch)),
    ...checked.warnings,
  ];
  if (app === undefined || problems.length > 0)
    throw errors.invalidConfiguration([...problems, ...missingProgram(app)], warnings);
  if (missingProgram(app).length > 0)
    throw errors[isWorkerFile(app.script) ? 'notBuilt' : 'noProgram'](app.script, warnings);
  return { app, checked, warnings };
}

/** Where the folder is missing, so is the program. */
function missingProgram(app: DescribedApp | undefined): InvalidValue[] {
  if (app === undefined || app.script === '' || !existsSync(app.cwd) || existsSync(app.script)) return [];
  return [within(app.file, { name: 'script', expected: 'a program that exists', got: app.script })];
}

/** What identifies a service. */
export interface Identity {
  /** `undefined` if neither the file nor `--only` names it. */
  readonly name: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The service that is meant: all that a command needs to reach it, even if the rest of the file is invalid. */
export function identify(file: AppFile, request: LoadRequest, problems: InvalidValue[]): Identity {
  const { only, envName, shell } = request;
  const entry = findEntry(file, only, problems);
  if (entry === undefined) return { name: only, env: shell };
  const filter = readField(entry, 'filter_env', []);
  const port = readField(entry, 'port', []);
  const deployed = findDeployed(file, envName, []);
  const env = resolveEnvironment({ entry, filter, port, envName, shell, deployed }, []);
  return { name: nameOf(entry), env };
}

function resolveApp(
  entry: Entry,
  deployed: unknown,
  file: string,
  { envName, shell }: LoadRequest,
  problems: InvalidValue[],
): DescribedApp {
  const own: InvalidValue[] = [];
  const value: Read = (name, fallback) => readField(entry, name, own, fallback);
  const pm2 = readPm2Settings(shell, problems);

  const cwd = resolve(dirname(file), value('cwd') ?? '.');
  const script = scriptOf(value('script'), cwd);
  const { runAs, variables: user } = resolveUser({ uid: value('uid'), gid: value('gid') }, own);
  const [filter, port] = [value('filter_env'), value('port')];
  const env = resolveEnvironment({ entry, filter, port, user, envName, shell, deployed }, own);
  const app: DescribedApp = {
    file,
    name: value('name') ?? nameOf(entry),
    script,
    cwd,
    args: value('args'),
    nodeArgs: value('node_args'),
    namespace: value('namespace'),
    runAs,
    sourceMaps: value('disable_source_map_support') ? false : value('source_map_support'),
    instances: value('instances'),
    instanceVar: pm2.instanceVar ?? value('instance_var'),
    incrementVar: value('increment_var'),
    env,
    shutdownWithMessage: value('shutdown_with_message') || pm2.killByMessage,
    killSignal: pm2.killSignal,
    treekill: value('treekill'),
    maxMemoryBytes: memoryBytes(value('max_memory_restart')),
    cronRestart: value('cron_restart'),
    watch: watchOf(value, cwd),
    policy: policyOf(value, pm2),
  };
  refuse(entry, app, own);
  refuseValues(value, cwd, own);
  problems.push(...own.map(problem => within(file, problem)));
  return app;
}

const scriptOf = (written: string | undefined, cwd: string): string =>
  written === undefined ? '' : isAbsolute(written) ? written : resolve(cwd, written);

function policyOf(value: Read, pm2: Pm2Settings): DescribedApp['policy'] {
  return {
    waitReady: value('wait_ready'),
    listenTimeoutMs: value('listen_timeout', pm2.listenTimeoutMs),
    killTimeoutMs: value('kill_timeout', pm2.killTimeoutMs),
    minUptimeMs: value('min_uptime'),
    maxRestarts: value('max_restarts'),
    restartDelayMs: value('restart_delay'),
    expBackoffRestartDelayMs: value('exp_backoff_restart_delay'),
    autorestart: value('autorestart'),
    isJob: !value('autorestart') && value('cron_restart') !== undefined,
    stopExitCodes: value('stop_exit_codes'),
  };
}

function memoryBytes(size: number | MemoryShare | undefined): number | undefined {
  return typeof size === 'object' ? Math.floor(readMemoryLimit().bytes * size.share) : size;
}

function watchOf(value: Read, cwd: string): Watch | undefined {
  const written = value('watch');
  const how = {
    ignore: value('ignore_watch').filter(pattern => pattern !== ''),
    delayMs: value('watch_delay'),
    options: value('watch_options'),
  };
  if (written === false) return undefined;
  return { cwd, watch: written === true || written.length === 0 ? ['.'] : written, ...how };
}

/** What PM2 would run and this supervisor cannot: said, with the cure, instead of half done. */
function refuse(entry: Entry, { script, cwd }: DescribedApp, problems: InvalidValue[]): void {
  const mode = rawField(entry, 'exec_mode');
  if (mode !== undefined && mode !== 'cluster' && mode !== 'cluster_mode') {
    problems.push({
      name: 'exec_mode',
      expected: "'cluster' (fork mode needs PM2, or plain node)",
      got: mode,
    });
  }
  if (script === '')
    problems.push({ name: 'script', expected: 'the path of the program to run', got: undefined });
  if (look(cwd)?.isDirectory() !== true)
    problems.push({ name: 'cwd', expected: 'a folder that exists and can be entered', got: cwd });
}
