/** One reading of the app file and of the environment it resolves to: what `start`, `reload` and `check` go by. */
import { extname, join } from 'node:path';
import { readConfig, readSettings, type Config, type Settings } from '../config.js';
import { errors, ServiceError, type Problem } from '../errors.js';
import { countWorkers, readMachine } from './cpus.js';
import { loadApp, type App } from './ecosystem.js';

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
}

/** Our worker's compiled or source file, whichever belongs to the supervisor that runs. */
const OUR_WORKER = join(__dirname, '..', `index${extname(__filename)}`);

/** @throws ServiceError INVALID_CONFIGURATION with every problem of file and environment at once */
export function readService({ file, only, envName }: ReadingRequest): Reading {
  const { app, warnings } = attempt(
    () =>
      loadApp({
        file,
        shell: process.env,
        ...(only === undefined ? {} : { only }),
        ...(envName === undefined ? {} : { envName }),
      }),
    () => readSettings(process.env),
  );
  const config = app.script === OUR_WORKER ? readConfig(app.env) : undefined;
  const settings = config ?? readSettings(lenient(app.env));
  const { count, reason } = countWorkers({
    instances: app.instances,
    webConcurrency: settings.webConcurrency,
    machine: readMachine(),
  });
  return { app, instances: count, why: reason, warnings, settings, config };
}

/** Another app may know other environments than ours; all but development are lived in like production. */
function lenient(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return env['NODE_ENV'] === 'development' ? env : { ...env, NODE_ENV: 'production' };
}

/** Runs `first`; if it fails, what `second` finds wrong is told with it. */
function attempt<T>(first: () => T, second: () => unknown): T {
  try {
    return first();
  } catch (error) {
    const problems = [...problemsOf(error), ...problemsFoundBy(second)];
    throw problems.length === 0 ? error : errors.invalidConfiguration(problems);
  }
}

function problemsFoundBy(call: () => unknown): readonly Problem[] {
  try {
    call();
    return [];
  } catch (error) {
    return problemsOf(error);
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  return error instanceof ServiceError ? error.problems : [];
}
