/** One reading of the app file and of the environment it resolves to: what `start`, `reload` and `check` go by. */
import { readConfig, resolveConfig, resolveSettings, type Config, type Settings } from '../../config.js';
import type { InvalidValue } from '../../errors.js';
import { isWorkerFile } from '../../worker-file.js';
import { countWorkers, readMachine } from '../../platform/cpus.js';
import { loadApp, type App, type DescribedApp } from './load.js';
import { runDirectoryOf, runDirectoryProblems, type RunDirectory } from '../control/run-directory.js';
import { readUsage } from '../../platform/process-usage.js';

export interface ReadingRequest {
  /** Absolute path of the app file. */
  readonly file: string;
  readonly only: string | undefined;
  readonly envName: string | undefined;
}

export interface Reading {
  readonly app: App;
  readonly instances: number;
  /** Where that number came from, for people. */
  readonly why: string;
  readonly warnings: readonly string[];
  readonly settings: Settings;
  /** The whole configuration of our own worker; a foreign app's environment is its own business. */
  readonly config: Config | undefined;
  readonly runDirectory: RunDirectory;
}

/** @throws ServiceError INVALID_CONFIGURATION with every problem of file and environment at once */
export function readService(request: ReadingRequest): Reading {
  const loaded = loadApp({ ...request, shell: process.env }, app => problemsAround(app, request));
  const { values: settings, invalid } = resolveSettings(loaded.app.env);
  const app = completed(loaded.app);
  const { count, reason } = countWorkers({
    instances: app.instances,
    webConcurrency: settings.webConcurrency,
    machine: readMachine(),
  });
  return {
    app,
    instances: count,
    why: reason,
    warnings: [...loaded.warnings, ...invalid.flatMap(leftToTheApp), ...unmeasured(app)],
    settings,
    config: app.ours ? readConfig(app.env) : undefined,
    runDirectory: runDirectoryOf({ ...request, name: app.name, runDir: settings.runDir }),
  };
}

/** Our own worker takes its orders as messages, whatever the file says. */
function completed(app: DescribedApp): App {
  const ours = isOurs(app);
  return {
    ...app,
    ours,
    shutdownWithMessage: ours || app.shutdownWithMessage,
  };
}

const isOurs = ({ script }: DescribedApp): boolean => isWorkerFile(script);

/** What the app file does not tell: whether the environment that it resolves to can be used. */
function problemsAround(app: DescribedApp | undefined, request: ReadingRequest): readonly InvalidValue[] {
  if (app === undefined) return resolveSettings(process.env).invalid;
  const { values, invalid } = isOurs(app)
    ? resolveConfig(app.env)
    : { ...resolveSettings(app.env), invalid: [] };
  const { runDir } = values;
  const runDirectory = runDirectoryOf({ ...request, name: app.name, runDir });
  return [...invalid, ...runDirectoryProblems(runDirectory, { runDir })];
}

/** Another app may give variables a sense of its own. NODE_ENV has many everywhere: all but development are alike. */
const leftToTheApp = ({ name, got }: InvalidValue): string[] =>
  name === 'NODE_ENV' ? [] : [`${name}=${String(got)} is left to the app: the supervisor does without it`];

/** Memory is read from `/proc`, which macOS has not; there our own worker tells it. */
const unmeasured = (app: App): string[] =>
  app.maxMemoryBytes === undefined || app.ours || readUsage(process.pid) !== undefined
    ? []
    : [
        'max_memory_restart is not followed: this system has no /proc that tells how much memory a worker takes',
      ];
