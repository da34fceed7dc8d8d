/** The app file: read, checked as a whole, and resolved to what one supervisor runs. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, resolve, sep } from 'node:path';
import { errors, ServiceError, type Problem } from '../errors.js';
import { resolveEnvironment } from './environment.js';
import { camelCase, FOLLOWED, IGNORED_FIELDS, LOG_FIELDS, SILENT_FIELDS, type Field } from './fields.js';
import type { Policy } from './model.js';

/** What is watched for changes, in PM2's words. */
export interface Watch {
  readonly paths: readonly string[];
  readonly ignore: readonly string[];
  readonly delayMs: number;
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
  /** As written: so many, `0` = one for each CPU, negative = all CPUs but so many. */
  readonly instances: number;
  readonly instanceVar: string;
  readonly incrementVar: string | undefined;
  /** The whole environment of a worker, less the variables that tell instances apart. */
  readonly env: Readonly<Record<string, string>>;
  readonly shutdownWithMessage: boolean;
  /** The order to leave, where it is a signal. */
  readonly killSignal: NodeJS.Signals;
  readonly maxMemoryBytes: number | undefined;
  readonly cronRestart: string | undefined;
  readonly watch: Watch | undefined;
  readonly policy: Policy;
}

export interface LoadRequest {
  /** Absolute path of the app file. */
  readonly file: string;
  /** Name of the app, where the file describes several. */
  readonly only?: string | undefined;
  /** `production` takes `env_production` on top of `env`. */
  readonly envName?: string | undefined;
  /** The environment that the file's variables are laid over. */
  readonly shell: NodeJS.ProcessEnv;
}

export interface LoadedApp {
  readonly app: App;
  /** What the file says that is not followed, one sentence each. */
  readonly warnings: readonly string[];
}

type Entry = Readonly<Record<string, unknown>>;

/**
 * Reads the file anew, with everything it requires.
 * @throws ServiceError INVALID_CONFIGURATION naming every problem, NOT_BUILT where only the program is missing
 */
export function loadApp(request: LoadRequest): LoadedApp {
  const { file, only, envName, shell } = request;
  const problems: Problem[] = [];
  const entry = pick(entriesOf(evaluate(file)), file, only);
  const value: Read = name => readField(entry, name, problems);

  const cwd = resolve(dirname(file), value('cwd') ?? '.');
  const written = value('script');
  const script = written === undefined ? '' : isAbsolute(written) ? written : resolve(cwd, written);
  const env = resolveEnvironment({ entry, filter: value('filter_env'), envName, shell }, problems);
  const app: App = {
    file,
    name: value('name') ?? basename(script, extname(script)),
    script,
    cwd,
    args: value('args'),
    nodeArgs: value('node_args'),
    instances: value('instances'),
    instanceVar: value('instance_var'),
    incrementVar: value('increment_var'),
    env,
    shutdownWithMessage: value('shutdown_with_message'),
    killSignal: killSignal(shell),
    maxMemoryBytes: value('max_memory_restart'),
    cronRestart: value('cron_restart'),
    watch: watchOf(value, cwd),
    policy: policyOf(value),
  };
  refuse(entry, app, problems);
  if (problems.length > 0) throw errors.invalidConfiguration(problems.map(problem => within(file, problem)));
  if (!existsSync(script)) throw errors.notBuilt(script);
  return { app, warnings: warnings(entry, envName) };
}

/** Names the file in front of the field, so that a problem can be told among those of the environment. */
const within = (file: string, { name, ...rest }: Problem): Problem => ({
  name: `${basename(file)}: ${name}`,
  ...rest,
});

type FieldName = keyof typeof FOLLOWED;
type Value<K extends FieldName> = (typeof FOLLOWED)[K] extends Field<infer T> ? T : never;
type Read = <K extends FieldName>(name: K) => Value<K>;

function policyOf(value: Read): Policy {
  return {
    waitReady: value('wait_ready'),
    listenTimeoutMs: value('listen_timeout'),
    killTimeoutMs: value('kill_timeout'),
    minUptimeMs: value('min_uptime'),
    maxRestarts: value('max_restarts'),
    restartDelayMs: value('restart_delay'),
    expBackoffRestartDelayMs: value('exp_backoff_restart_delay'),
    autorestart: value('autorestart'),
    stopExitCodes: value('stop_exit_codes'),
  };
}

function watchOf(value: Read, cwd: string): Watch | undefined {
  const watch = value('watch');
  if (watch === false) return undefined;
  const paths = watch === true ? [cwd] : watch.map(path => resolve(cwd, path));
  return { paths, ignore: value('ignore_watch'), delayMs: value('watch_delay') };
}

/** PM2 takes its kill signal from its daemon's environment (constants.js:105), not from the app. */
function killSignal(shell: NodeJS.ProcessEnv): NodeJS.Signals {
  const wanted = shell['PM2_KILL_SIGNAL'] ?? '';
  return /^SIG[A-Z0-9]+$/.test(wanted) ? (wanted as NodeJS.Signals) : 'SIGINT';
}

/** Runs or parses the file; what it loaded before is loaded anew, packages excepted. */
function evaluate(file: string): unknown {
  const fail = (expected: string, got: unknown): ServiceError =>
    errors.invalidConfiguration([{ name: file, expected, got }]);
  if (!existsSync(file))
    throw fail('an app file such as ecosystem.config.js (--config names another)', undefined);
  // An ES module cannot be read anew at a reload: nothing forgets it. The program itself may well be one.
  if (extname(file) === '.mjs')
    throw fail('a CommonJS file: name it .cjs, with module.exports instead of export', extname(file));
  if (!['.js', '.cjs', '.json'].includes(extname(file)))
    throw fail('a .js, .cjs or .json file', extname(file));
  try {
    if (extname(file) === '.json') return JSON.parse(readFileSync(file, 'utf8')) as unknown;
    forget(file);
    return require(file) as unknown;
  } catch (error) {
    throw fail('an app file in JavaScript (.js, .cjs) or JSON', (error as Error).message);
  }
}

function forget(path: string): void {
  const known = require.cache[path];
  if (known === undefined) return;
  delete require.cache[path];
  for (const child of known.children)
    if (!child.filename.includes(`${sep}node_modules${sep}`)) forget(child.filename);
}

/** PM2 takes `{ apps: [...] }`, `{ pm2: [...] }`, a list, or one app (API.js:940-954). */
function entriesOf(content: unknown): readonly Entry[] {
  const { apps, pm2 } = (content ?? {}) as { apps?: unknown; pm2?: unknown };
  const found = apps ?? pm2 ?? content;
  return (Array.isArray(found) ? found : [found]).filter(
    entry => typeof entry === 'object' && entry !== null,
  ) as Entry[];
}

function pick(entries: readonly Entry[], file: string, only: string | undefined): Entry {
  const nameOf = (entry: Entry): string => String(entry['name'] ?? entry['script']);
  const names = entries.map(nameOf).join(', ');
  const matching = only === undefined ? entries : entries.filter(entry => nameOf(entry) === only);
  const [entry, ...others] = matching;
  if (entry !== undefined && others.length === 0) return entry;
  if (entries.length === 0)
    throw errors.invalidConfiguration([{ name: file, expected: 'a description of an app', got: undefined }]);
  throw errors.invalidConfiguration([
    { name: '--only', expected: `the name of one app of ${basename(file)}: ${names}`, got: only },
  ]);
}

/** The names under which a field may stand, in the order in which PM2 looks at them. */
export const namesOf = (name: string, { aliases }: Field<unknown>): readonly string[] => [
  name,
  ...aliases,
  camelCase(name),
];

function readField<K extends FieldName>(entry: Entry, name: K, problems: Problem[]): Value<K> {
  const field = FOLLOWED[name] as Field<unknown>;
  const written = namesOf(name, field).find(alias => entry[alias] !== undefined && entry[alias] !== null);
  if (written === undefined) return field.fallback as Value<K>;
  const parsed = field.parse(entry[written]);
  if ('value' in parsed) return parsed.value as Value<K>;
  problems.push({ name: written, expected: parsed.expected, got: entry[written] });
  return field.fallback as Value<K>;
}

/** What PM2 would run and this supervisor cannot: said, with the cure, instead of half done. */
function refuse(entry: Entry, { script }: App, problems: Problem[]): void {
  const mode = entry['exec_mode'] ?? entry['execMode'];
  if (mode !== undefined && mode !== 'cluster' && mode !== 'cluster_mode') {
    problems.push({
      name: 'exec_mode',
      expected: "'cluster' (fork mode needs PM2, or plain node)",
      got: mode,
    });
  }
  const interpreter = entry['interpreter'] ?? entry['exec_interpreter'];
  if (interpreter !== undefined && interpreter !== 'node') {
    problems.push({ name: 'interpreter', expected: "'node' (another program needs PM2)", got: interpreter });
  }
  if (script === '')
    problems.push({ name: 'script', expected: 'the path of the program to run', got: undefined });
}

/** One sentence for each field that is not followed; silence would be a lie. */
function warnings(entry: Entry, envName: string | undefined): string[] {
  const found = Object.keys(entry);
  const isNamed = (names: readonly string[], name: string): boolean =>
    names.some(known => known === name || camelCase(known) === name);
  const ignored = found.filter(name => isNamed(IGNORED_FIELDS, name));
  const logs = found.filter(name => isNamed(LOG_FIELDS, name));
  const unknown = found.filter(name => !isNamed(KNOWN, name) && !/^env_\S+$/.test(name));
  return [
    ...(entry['exec_mode'] === undefined && entry['execMode'] === undefined
      ? ['exec_mode is not set; running in cluster mode']
      : []),
    ...(logs.length > 0 ? [`${logs.join(', ')} not followed: logs go to standard output`] : []),
    ...ignored.map(name => `${name} is not followed by the native supervisor`),
    ...unknown.map(name => `${name} is not a field of an app file; did you mean ${nearest(name)}?`),
    ...(envName !== undefined && entry[`env_${envName}`] === undefined
      ? [`--env ${envName}: the app file has no env_${envName}`]
      : []),
  ];
}

const KNOWN = [
  ...Object.entries(FOLLOWED).flatMap(([name, field]) => namesOf(name, field as Field<unknown>)),
  ...LOG_FIELDS,
  ...SILENT_FIELDS,
  ...IGNORED_FIELDS,
];

function nearest(name: string): string {
  // Loaded only where something is misspelt.
  const { closest } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  return closest(name, KNOWN);
}

/** The default app file: in the folder from which the command is given. */
export const defaultFile = (cwd: string): string => join(cwd, 'ecosystem.config.js');
