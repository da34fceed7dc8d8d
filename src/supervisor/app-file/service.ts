/** What the app file says and the environment it resolves to: what `start`, `reload` and `check` go by. */
import { resolveConfig, resolveSettings, type Config, type Settings } from '../../config.js';
import type { InvalidValue } from '../../errors.js';
import { isWorkerFile } from '../../worker-file.js';
import { countWorkers, readMachine } from '../../platform/cpus.js';
import { identify, loadApp, type App, type Checked, type DescribedApp } from './load.js';
import type { AppFile } from './read.js';
import { runDirectoryOf, runDirectoryProblems, type RunDirectory } from '../control/run-directory.js';
import { readMemoryLimit } from '../../platform/memory.js';
import { readUsage } from '../../platform/process-usage.js';
import { sizeText } from '../report/wording.js';

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

/** @throws ServiceError with every problem and every warning of file and environment together */
export function resolveService(file: AppFile, request: ReadingRequest): Reading {
  const loaded = loadApp(file, { ...request, shell: process.env }, app => readSurroundings(app, request));
  const { settings, config, runDirectory } = loaded.checked;
  const ours = config !== undefined;
  // Our own worker would keep the map of its whole bundle in memory, 13 MB on Node 20.
  const app = { ...loaded.app, ours, sourceMaps: loaded.app.sourceMaps ?? !ours };
  const { count, reason } = countWorkers({
    instances: app.instances,
    webConcurrency: settings.webConcurrency,
    machine: readMachine(),
  });
  return {
    // Our own worker takes its orders as messages; the file cannot change that.
    app: { ...app, shutdownWithMessage: app.ours || app.shutdownWithMessage },
    instances: count,
    why: reason,
    warnings: loaded.warnings,
    settings,
    config,
    runDirectory,
  };
}

/** How to write what keeps a service from starting: the app file may be what is wrong. */
export function logSettingsOf(
  file: AppFile,
  { only, envName }: ReadingRequest,
): Pick<Settings, 'nodeEnv' | 'logLevel'> {
  const problems: InvalidValue[] = [];
  const { env } = identify(file, { only, envName, shell: process.env }, problems);
  const isUnknown = problems.length > 0 && envName !== undefined;
  return resolveSettings(isUnknown ? { ...env, NODE_ENV: envName } : env).values;
}

/** The environment that the app file resolves to, and what follows from it. */
interface Surroundings extends Checked {
  readonly settings: Settings;
  /** Nothing for a foreign app. */
  readonly config: Config | undefined;
  readonly runDirectory: RunDirectory;
}

/** @param app nothing where the file has none: then the shell's environment is all there is */
function readSurroundings(app: DescribedApp | undefined, request: ReadingRequest): Surroundings {
  const isOurs = app !== undefined && isWorkerFile(app.script);
  const ours = isOurs ? resolveConfig(app.env) : undefined;
  const { values: settings, invalid } = ours ?? resolveSettings(app?.env ?? process.env);
  const { runDir } = settings;
  const runDirectory = runDirectoryOf({ ...request, name: app?.name ?? '', runDir });
  const isForeign = app !== undefined && !isOurs;
  const found = isForeign ? invalid.flatMap(leftWarning) : [];
  return {
    settings,
    config: ours?.values,
    runDirectory,
    invalid: [
      ...(isForeign ? [] : invalid),
      ...(app === undefined ? [] : runDirectoryProblems(runDirectory, { runDir })),
    ],
    warnings:
      app === undefined ? [] : [...found, ...unmeasured({ ...app, ours: isOurs }), ...beyondLimit(app)],
  };
}

/** Another app may give variables a sense of its own. NODE_ENV has many everywhere: all but development are alike. */
const leftWarning = ({ name, got }: InvalidValue): string[] =>
  name === 'NODE_ENV' ? [] : [`${name}=${String(got)} is left to the app: the supervisor does without it`];

/** Memory is read from `/proc`. macOS has none; there our own worker reports its memory. */
const unmeasured = (app: Pick<App, 'maxMemoryBytes' | 'ours'>): string[] =>
  app.maxMemoryBytes === undefined || app.ours || readUsage(process.pid) !== undefined
    ? []
    : [
        'max_memory_restart is not followed: the memory of a worker is read from /proc, which this system lacks',
      ];

/** The kernel kills a process at the memory limit without asking it to drain; a worker must be replaced before. */
function beyondLimit({ maxMemoryBytes = 0 }: Pick<App, 'maxMemoryBytes'>): string[] {
  const { bytes, of } = readMemoryLimit();
  if (maxMemoryBytes < bytes) return [];
  const limit = `the memory ${of === 'cgroup' ? 'limit of the control group' : 'of the machine'} (${sizeText(bytes)})`;
  return [
    `max_memory_restart (${sizeText(maxMemoryBytes)}) is not below ${limit}: the kernel kills a worker before it is replaced. Set a smaller value for each worker, in numbers or as a share of the limit such as "80%" (which PM2 refuses)`,
  ];
}
