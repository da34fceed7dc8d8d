/**
 * Every field of an app file, by PM2's names: how it is read, and what the native supervisor makes of it. Types,
 * defaults and aliases are PM2 7's (its lib/API/schema.json and lib/tools/Config.js).
 */
import { types } from 'node:util';
import { MAX_WORKERS } from '../../protocol/limits.js';
import { cronProblem } from './cron-pattern.js';
import type { Account } from './run-as.js';
import { watchOptions, type WatchOptions } from './watch-options.js';

/** What stands in a field, or why it cannot. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string };

export interface Field<T> {
  /** Other names that PM2 takes, besides the camelCase form of the name. */
  readonly aliases: readonly string[];
  readonly parse: (value: unknown) => Parsed<T>;
  /** What holds without the field. */
  readonly fallback: T;
  /** What an empty text stands for. */
  readonly empty: T;
}

const ok = <T>(value: T): Parsed<T> => ({ value });

const field = <T>(fallback: T, parse: (value: unknown) => Parsed<T>, ...aliases: string[]): Field<T> => ({
  aliases,
  parse,
  fallback,
  empty: fallback,
});

/** Ends a text where the operating system reads it; Node refuses to start a process with it. */
const NUL = '\0';

export const WITHOUT_NUL = 'a text without NUL characters';

/** Whether the operating system would read all of it. */
export const isWhole = (value: string): boolean => !value.includes(NUL);

function text(value: unknown): Parsed<string> {
  if (typeof value !== 'string' || value === '') return { expected: 'a text' };
  return isWhole(value) ? ok(value) : { expected: WITHOUT_NUL };
}

const flag = (value: unknown): Parsed<boolean> =>
  typeof value === 'boolean' ? ok(value) : { expected: 'true or false' };

/** PM2 takes numbers also as texts, but no units: `"3000"`, not `"3s"`. */
const number =
  (min: number, expected: string) =>
  (value: unknown): Parsed<number> => {
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof parsed === 'number' && Number.isInteger(parsed) && parsed >= min
      ? ok(parsed)
      : { expected };
  };

/** `undefined` where it is not set. */
const optional =
  <T>(parse: (value: unknown) => Parsed<T>) =>
  (value: unknown): Parsed<T | undefined> =>
    parse(value);

/** A user or a group by name or number. Node takes numbers of 31 bits. */
function account(value: unknown): Parsed<Account> {
  const given = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof given !== 'number') return text(value);
  return Number.isInteger(given) && given >= 0 && given < 2 ** 31
    ? ok(given)
    : { expected: `a name, or a number from 0 to ${2 ** 31 - 1}` };
}

function port(value: unknown): Parsed<number> {
  const parsed = number(1, '')(value);
  return 'value' in parsed && parsed.value <= 65_535
    ? parsed
    : { expected: 'a whole number from 1 to 65535' };
}

/** What has a text of its own. An app file may compute anything, and `{ toString: 0 }` throws when asked for its text. */
const isWord = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

const wordOf = (value: unknown): string => (isWord(value) ? String(value) : '');

const milliseconds = number(0, 'a whole number of milliseconds');

/** `"a 'b c'"` or `['a', 'b c']`: quotes hold words together, as in Config.js:200-212. */
function words(value: unknown): Parsed<readonly string[]> {
  const isList = Array.isArray(value) && value.every(isWord);
  if (!(isList ? value.map(String) : [wordOf(value)]).every(isWhole)) return { expected: WITHOUT_NUL };
  if (isList) return ok(value.map(String));
  if (typeof value !== 'string') return { expected: 'a text or a list of texts' };
  const found = value.match(/[^\s"'=]+="[^"]*"|[^\s"'=]+='[^']*'|"[^"]*"|'[^']*'|\S+/g) ?? [];
  return ok(found.map(word => word.replace(/^(["'])(.*)\1$/, '$2')).filter(word => word.trim() !== ''));
}

/** `-1` = all but one, `0` or `max` = all, else so many. */
function instances(value: unknown): Parsed<number> {
  if (value === 'max') return ok(0);
  const parsed = number(-MAX_WORKERS, '')(value);
  return 'value' in parsed && parsed.value <= MAX_WORKERS
    ? parsed
    : { expected: `a whole number from -${MAX_WORKERS} to ${MAX_WORKERS} (-1 = all CPUs but one) or 'max'` };
}

const BYTES = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 } as const;

/** A part of the memory limit: 0.8 = 80 %. */
export interface MemoryShare {
  readonly share: number;
}

/**
 * PM2's grammar: digits and an upper-case unit, `"300M"`; a bare number is bytes. And one value that PM2 does not know:
 * `"80%"` of the memory limit of the control group or of the machine.
 */
function memorySize(value: unknown): Parsed<number | MemoryShare | undefined> {
  const [, percent] = /^([1-9]\d?)%$/.exec(wordOf(value)) ?? [];
  if (percent !== undefined) return ok({ share: Number(percent) / 100 });
  const match = /^(\d+)([GMK]?)$/.exec(wordOf(value));
  const size = Number(match?.[1]) * (BYTES[match?.[2] as keyof typeof BYTES] ?? 1);
  return match !== null && size > 0
    ? ok(size)
    : { expected: 'a number of bytes, or a text such as "300M", "1G" or "80%" (of the memory limit)' };
}

const TIME = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds, or `"5s"`, `"1m"`, `"1h"`; at least 100 ms. */
function span(value: unknown): Parsed<number> {
  const match = /^(\d+)([hms]?)$/.exec(wordOf(value));
  const ms = Number(match?.[1]) * (TIME[match?.[2] as keyof typeof TIME] ?? 1);
  return match !== null && ms >= 100
    ? ok(ms)
    : { expected: 'at least 100 milliseconds, or a text such as "5s" or "1m"' };
}

function exitCodes(value: unknown): Parsed<readonly number[]> {
  const given = (Array.isArray(value) ? (value as unknown[]) : [value]).filter(
    code => code !== '' && code !== null,
  );
  const codes = given.filter(isWord).map(Number);
  return codes.length === given.length &&
    codes.every(code => Number.isInteger(code) && code >= 0 && code <= 255)
    ? ok(codes)
    : { expected: 'an exit code from 0 to 255, or a list of them' };
}

/** What `filter_env` keeps away from the app: nothing, everything, one name, or names that contain one of these. */
export type EnvironmentFilter = boolean | string | readonly string[];

function environmentFilter(value: unknown): Parsed<EnvironmentFilter> {
  if (typeof value === 'boolean' || typeof value === 'string') return ok(value);
  return Array.isArray(value) && value.every(isWord)
    ? ok(value.map(String))
    : { expected: 'true, false, a name or a list of names' };
}

/** The values of an environment; objects become JSON, as PM2 makes them. */
export function environment(value: unknown): Parsed<Readonly<Record<string, string>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { expected: 'an object' };
  const entries = Object.entries(value).filter(([, content]) => content !== undefined && content !== null);
  try {
    return ok(Object.fromEntries(entries.map(([name, content]) => [name, textOf(content)])));
  } catch (error) {
    return { expected: `an object of texts (${(error as Error).message})` };
  }
}

/** @throws TypeError for what cannot be JSON: a cycle, a BigInt in an object */
function textOf(content: unknown): string {
  if (typeof content === 'object') return JSON.stringify(content);
  return typeof content === 'string' ? content : `${content as number | boolean}`;
}

/** Files, folders and globs; `true` and an empty list stand for the `cwd`. */
const paths = (value: unknown): Parsed<readonly string[] | boolean> =>
  typeof value === 'boolean' ? ok(value) : words(value);

/** Globs or regular expressions; a text does not show which. */
function ignorePatterns(value: unknown): Parsed<readonly (string | RegExp)[]> {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (!list.some(types.isRegExp)) return words(value);
  return list.every(entry => types.isRegExp(entry) || isWord(entry))
    ? ok(list.map(entry => (types.isRegExp(entry) ? entry : String(entry))))
    : { expected: 'a text or a list of texts and regular expressions' };
}

/** croner's patterns, as in PM2; nought switches it off. */
function cronPattern(value: unknown): Parsed<string | undefined> {
  if (value === '0' || value === 0 || value === false) return ok(undefined);
  const problem = typeof value === 'string' ? cronProblem(value) : 'not a text';
  return problem === undefined
    ? ok(String(value))
    : { expected: `a cron pattern such as "0 3 * * *" (${problem})` };
}

/** Fields that are followed, each with its default. */
export const FOLLOWED = {
  name: field<string | undefined>(undefined, text),
  script: field<string | undefined>(undefined, text, 'exec', 'cmd', 'command'),
  cwd: field<string | undefined>(undefined, text),
  args: field<readonly string[]>([], words),
  node_args: field<readonly string[]>([], words, 'interpreter_args', 'interpreterArgs'),
  exec_mode: field<string | undefined>(undefined, text),
  interpreter: field<string | undefined>(undefined, text, 'exec_interpreter', 'execInterpreter'),
  namespace: field('default', text),
  uid: field<Account | undefined>(undefined, optional(account), 'user'),
  gid: field<Account | undefined>(undefined, optional(account)),
  source_map_support: field<boolean | undefined>(undefined, optional(flag)),
  disable_source_map_support: field(false, flag),
  // PM2 makes a number of every text, and nought of an empty one (Common.js:861-863).
  instances: { ...field(1, instances), empty: 0 },
  instance_var: field('NODE_APP_INSTANCE', text),
  increment_var: field<string | undefined>(undefined, text),
  env: field<Readonly<Record<string, string>>>({}, environment),
  port: field<number | undefined>(undefined, optional(port)),
  filter_env: field<EnvironmentFilter>(false, environmentFilter),
  autostart: field(true, flag),
  autorestart: field(true, flag),
  restart_delay: field(0, milliseconds),
  exp_backoff_restart_delay: field(0, milliseconds),
  min_uptime: field(1_000, span),
  max_restarts: field(16, number(1, 'a whole number of at least 1')),
  stop_exit_codes: field<readonly number[]>([], exitCodes),
  wait_ready: field(false, flag),
  listen_timeout: field(3_000, number(1, 'a whole number of milliseconds, at least 1')),
  kill_timeout: field(1_600, number(1, 'a whole number of milliseconds, at least 1')),
  shutdown_with_message: field(false, flag),
  treekill: field(true, flag),
  max_memory_restart: field<number | MemoryShare | undefined>(undefined, memorySize),
  cron_restart: field<string | undefined>(undefined, cronPattern, 'cron'),
  watch: field<readonly string[] | boolean>(false, paths),
  ignore_watch: field<readonly (string | RegExp)[]>([], ignorePatterns),
  watch_options: field<WatchOptions>({}, watchOptions),
  watch_delay: field(1_000, milliseconds),
} as const;

/** Fields that say something about log files; natively the lines go to standard output, where they belong. */
export const LOG_FIELDS = [
  'out_file',
  'out',
  'output',
  'out_log',
  'error_file',
  'error',
  'err',
  'err_file',
  'err_log',
  'log_file',
  'log',
  'disable_logs',
  'log_type',
  'log_date_format',
  'merge_logs',
  'combine_logs',
  'time',
];

/** Fields and the value that asks for what is so anyway: nothing to be said about it. */
export const HOLDS_ANYWAY: Readonly<Record<string, unknown>> = {
  merge_logs: true,
  combine_logs: true,
  pmx: false,
  automation: false,
};

/** Fields that PM2 knows and this supervisor does not follow. */
export const IGNORED_FIELDS = [
  'name_prefix',
  'install_url',
  'pid_file',
  'pid',
  'execute_command',
  'force',
  'append_env_to_name',
  'post_update',
  'trace',
  'disable_trace',
  'v8',
  'event_loop_inspector',
  'deep_monitoring',
  'username',
  'write',
  'io',
  'pmx',
  'automation',
  'vizion',
  'kill_retry_time',
  'windowsHide',
];

/** `max_memory_restart` → `maxMemoryRestart`, which PM2 takes as well (Config.js:34-52). */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
