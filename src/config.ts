/**
 * The environment, resolved once and checked as a whole. {@link VARIABLES} is the only list of what can be set: types,
 * the README's table and `.env.example` follow from it (`yarn docs`).
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { errors, type InvalidValue } from './errors.js';
import { DEFAULTS, IDLE_GRACE_MS, MAX_TIMER_MS, MAX_WORKERS } from './protocol/limits.js';

export type Environment = 'development' | 'production' | 'test';
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** Express' `trust proxy` setting: none, all, a number of hops, or addresses and subnets. */
export type TrustProxy = boolean | number | readonly string[];

/** Parameters of queries that usually are secrets, or give access. */
export const REDACTED_QUERY: readonly string[] = [
  'access_token',
  'api_key',
  'auth',
  'auth_token',
  'authorization',
  'client_secret',
  'code',
  'credential',
  'id_token',
  'jwt',
  'key',
  'pass',
  'password',
  'passwd',
  'pwd',
  'refresh_token',
  'secret',
  'session',
  'session_id',
  'session_token',
  'sid',
  'sig',
  'signature',
  'token',
  'x-amz-credential',
  'x-amz-security-token',
  'x-amz-signature',
  'x-goog-credential',
  'x-goog-signature',
];

/** One variable: how it is read, what may stand there, and what holds without it. */
export interface Variable<T> {
  readonly name: string;
  /** The README's words for "not set". */
  readonly fallback: string;
  /** The end of the sentence "NAME must be …". */
  readonly expected: string;
  readonly purpose: string;
  /** @returns `undefined` if the text is not what is expected */
  readonly parse: (text: string) => T | undefined;
  readonly unset: T;
  /** Its value may be in a file that NAME_FILE names, as containers mount secrets, and is in no message. */
  readonly secret?: boolean;
}

const wholeNumber =
  (min: number, max: number) =>
  (text: string): number | undefined => {
    const value = Number(text);
    return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined;
  };

const zeroOr =
  (parse: (text: string) => number | undefined) =>
  (text: string): number | undefined =>
    text === '0' ? 0 : parse(text);

const oneOf =
  <T extends string>(allowed: readonly T[]) =>
  (text: string): T | undefined =>
    allowed.find(value => value === text);

/** A host name or an address, without a port or a scheme. */
const HOST = /^[A-Za-z0-9._%-]+$/;

const parseHost = (text: string): string | undefined =>
  isIP(text) !== 0 || HOST.test(text) ? text : undefined;

/** The same grammar that Express gives to `trust proxy`; addresses are checked by the library that Express uses. */
function parseTrustProxy(text: string): TrustProxy | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^\d+$/.test(text)) return Number(text);
  const addresses = text.split(',').map(part => part.trim());
  try {
    // Loaded only here: neither a supervisor nor a worker without `TRUST_PROXY` needs it.
    (require('proxy-addr') as typeof import('proxy-addr')).compile(addresses);
    return addresses;
  } catch {
    return undefined;
  }
}

/** Names of parameters, with commas between them. */
function parseNames(text: string): readonly string[] | undefined {
  if (text === 'none') return [];
  const names = text.split(',').map(name => name.trim());
  return names.every(name => /^[\w.~-]+$/.test(name)) ? names : undefined;
}

const onOrOff = (text: string): boolean | undefined =>
  text === 'on' ? true : text === 'off' ? false : undefined;

const variable = <T>(definition: Variable<T>): Variable<T> => definition;

/** Everything that can be set, in the order of the README. */
export const VARIABLES = {
  nodeEnv: variable<Environment>({
    name: 'NODE_ENV',
    fallback: 'production',
    expected: 'one of development, production, test',
    purpose:
      '`development`: readable logs, and Ctrl-C ends at once; `production`: JSON logs, and Ctrl-C drains',
    parse: oneOf(['development', 'production', 'test']),
    unset: 'production',
  }),
  port: variable<number>({
    name: 'PORT',
    fallback: String(DEFAULTS.port),
    expected: 'a whole number from 0 to 65535',
    purpose: 'Port of the API; `0` picks a free port (only without supervisor)',
    parse: wholeNumber(0, 65_535),
    unset: DEFAULTS.port,
  }),
  host: variable<string | undefined>({
    name: 'HOST',
    fallback: 'all addresses, IPv4 and IPv6',
    expected: 'an IP address or a host name',
    purpose: 'Address to listen on',
    parse: parseHost,
    unset: undefined,
  }),
  logLevel: variable<LogLevel>({
    name: 'LOG_LEVEL',
    fallback: 'info',
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    purpose: 'Minimum log level',
    parse: oneOf(LOG_LEVELS),
    unset: 'info',
  }),
  logRedactedQuery: variable<readonly string[]>({
    name: 'LOG_REDACTED_QUERY',
    fallback: 'common names of secrets',
    expected: 'none, or names of query parameters with commas between them',
    purpose: 'Query parameters whose values the log replaces with `[Redacted]`; `none` turns this off',
    parse: parseNames,
    unset: REDACTED_QUERY,
  }),
  webConcurrency: variable<number | undefined>({
    name: 'WEB_CONCURRENCY',
    fallback: 'the app file decides',
    expected: `a whole number from 1 to ${MAX_WORKERS}`,
    purpose: 'Number of workers; replaces `instances` of the app file',
    parse: wholeNumber(1, MAX_WORKERS),
    unset: undefined,
  }),
  trustProxy: variable<TrustProxy>({
    name: 'TRUST_PROXY',
    fallback: 'false',
    expected:
      'true, false, a number of hops, or a list of addresses, subnets, loopback, linklocal, uniquelocal',
    purpose: 'Proxies whose `X-Forwarded-*` headers are trusted, in the syntax of Express',
    parse: parseTrustProxy,
    unset: false,
  }),
  drainDelayMs: variable<number>({
    name: 'DRAIN_DELAY_MS',
    fallback: String(DEFAULTS.drainDelayMs),
    expected: `a whole number from 0 to ${MAX_TIMER_MS}`,
    purpose: 'How long a stopping worker still accepts connections while `/readyz` answers 503',
    parse: wholeNumber(0, MAX_TIMER_MS),
    unset: DEFAULTS.drainDelayMs,
  }),
  drainTimeoutMs: variable<number>({
    name: 'DRAIN_TIMEOUT_MS',
    fallback: String(DEFAULTS.drainTimeoutMs),
    expected: `a whole number from ${IDLE_GRACE_MS + 1} to ${MAX_TIMER_MS} (it includes ${IDLE_GRACE_MS} ms for idle connections)`,
    purpose: 'How long requests in flight may take once `DRAIN_DELAY_MS` is over',
    parse: wholeNumber(IDLE_GRACE_MS + 1, MAX_TIMER_MS),
    unset: DEFAULTS.drainTimeoutMs,
  }),
  closeTimeoutMs: variable<number>({
    name: 'CLOSE_TIMEOUT_MS',
    fallback: String(DEFAULTS.closeTimeoutMs),
    expected: `a whole number from 0 to ${MAX_TIMER_MS}`,
    purpose: 'How long closing the resources (pools, queues) may take after the drain',
    parse: wholeNumber(0, MAX_TIMER_MS),
    unset: DEFAULTS.closeTimeoutMs,
  }),
  keepAliveTimeoutMs: variable<number>({
    name: 'KEEP_ALIVE_TIMEOUT_MS',
    fallback: String(DEFAULTS.keepAliveTimeoutMs),
    expected: `a whole number from 1 to ${MAX_TIMER_MS - 1_000}`,
    purpose:
      'How long an idle connection stays open; must be longer than at the load balancer (usually 60 s)',
    parse: wholeNumber(1, MAX_TIMER_MS - 1_000),
    unset: DEFAULTS.keepAliveTimeoutMs,
  }),
  expressTuning: variable<boolean>({
    name: 'EXPRESS_TUNING',
    fallback: 'on',
    expected: 'on or off',
    purpose: '`off` serves with unmodified Express, to find out whether `src/fast-path` causes a fault',
    parse: onOrOff,
    unset: true,
  }),
  watchdogTimeoutMs: variable<number | undefined>({
    name: 'WATCHDOG_TIMEOUT_MS',
    fallback: '60000 in production, otherwise 0',
    expected: `0 (never), or a whole number from 2000 to ${MAX_TIMER_MS}`,
    purpose:
      'How long an event loop may be blocked before its worker is killed and replaced; `0` turns this off',
    parse: zeroOr(wholeNumber(2_000, MAX_TIMER_MS)),
    unset: undefined,
  }),
  observer: variable<boolean>({
    name: 'OBSERVER',
    fallback: 'on',
    expected: 'on or off',
    purpose: '`off` starts no observer thread: blocked workers are neither reported nor killed',
    parse: onOrOff,
    unset: true,
  }),
  managementPort: variable<number | undefined>({
    name: 'MANAGEMENT_PORT',
    fallback: 'none',
    expected: 'a whole number from 1 to 65535',
    purpose:
      'Port of `/metrics`, `/status`, `/livez`, `/readyz` and the live page (`/`) of the whole service',
    parse: wholeNumber(1, 65_535),
    unset: undefined,
  }),
  managementHost: variable<string>({
    name: 'MANAGEMENT_HOST',
    fallback: '127.0.0.1',
    expected: 'an IP address or a host name',
    purpose: 'Address of `MANAGEMENT_PORT`; a client that can connect there can read everything',
    parse: parseHost,
    unset: '127.0.0.1',
  }),
  managementToken: variable<string | undefined>({
    name: 'MANAGEMENT_TOKEN',
    fallback: 'none',
    expected: 'a text of 16 to 1024 printable characters without spaces',
    purpose: 'Allows reload, scale, stop and diagnoses on `MANAGEMENT_PORT` to clients that send it',
    parse: text => (/^[!-~]{16,1024}$/.test(text) ? text : undefined),
    unset: undefined,
    secret: true,
  }),
  diagnosticsDir: variable<string | undefined>({
    name: 'DIAGNOSTICS_DIR',
    fallback: 'a folder of this user below the temporary folder',
    expected: 'the path of a folder',
    purpose: 'Where `yarn cluster:diagnose` writes profiles, heap snapshots and reports',
    parse: text => text,
    unset: undefined,
  }),
  overloadProtection: variable<boolean>({
    name: 'OVERLOAD_PROTECTION',
    fallback: 'off',
    expected: 'on or off',
    purpose: '`on` answers 503 to requests that a worker could not answer in time',
    parse: onOrOff,
    unset: false,
  }),
  maxConnections: variable<number | undefined>({
    name: 'MAX_CONNECTIONS',
    fallback: 'none',
    expected: 'a whole number from 1 to 1000000',
    purpose: 'Most open connections of each worker; further ones get 503 and are closed',
    parse: wholeNumber(1, 1_000_000),
    unset: undefined,
  }),
  features: variable<boolean>({
    name: 'FEATURES',
    fallback: 'on',
    expected: 'on or off',
    purpose: '`off` serves without the features of `src/api.ts`, to find out whether one causes a fault',
    parse: onOrOff,
    unset: true,
  }),
  openapi: variable<boolean | undefined>({
    name: 'OPENAPI',
    fallback: 'on in development, otherwise off',
    expected: 'on or off',
    purpose: '`on` describes the API at `/openapi.json` (OpenAPI 3.1)',
    parse: onOrOff,
    unset: undefined,
  }),
  runDir: variable<string | undefined>({
    name: 'RUN_DIR',
    fallback: 'a folder of this user below the temporary folder',
    expected: 'the path of a folder',
    purpose: "Folder of the native supervisor's control socket",
    parse: text => text,
    unset: undefined,
  }),
} as const satisfies Table;

type Table = Readonly<Record<string, Variable<unknown>>>;
type ValuesOf<T extends Table> = { readonly [K in keyof T]: T[K]['unset'] };

/** What our worker needs. Immutable; made by {@link resolveConfig}. */
export type Config = ValuesOf<typeof VARIABLES>;

const { nodeEnv, logLevel, webConcurrency, runDir } = VARIABLES;
const SETTINGS = { nodeEnv, logLevel, webConcurrency, runDir };

/** What a supervisor needs, whichever app it runs. */
export type Settings = ValuesOf<typeof SETTINGS>;

/** A resolved environment. A variable that cannot be used has its default, and is listed as invalid. */
export interface Resolved<T> {
  readonly values: T;
  readonly invalid: readonly InvalidValue[];
}

/** Resolves all variables, as our own worker needs them. */
export const resolveConfig = (env: NodeJS.ProcessEnv): Resolved<Config> => resolve(VARIABLES, env);

/** Resolves the few that a supervisor needs; all others are the business of the app. */
export const resolveSettings = (env: NodeJS.ProcessEnv): Resolved<Settings> => resolve(SETTINGS, env);

/** @throws ServiceError INVALID_CONFIGURATION that names every invalid value */
export function valuesOrThrow<T>({ values, invalid }: Resolved<T>): T {
  if (invalid.length > 0) throw errors.invalidConfiguration(invalid);
  return values;
}

/** @throws as {@link valuesOrThrow} does */
export const readConfig = (env: NodeJS.ProcessEnv): Config => valuesOrThrow(resolveConfig(env));

/** The one that every process with a log needs; a value that cannot be used is reported with all others. */
export const ownRedactedQuery = (): readonly string[] =>
  resolve({ names: VARIABLES.logRedactedQuery }, process.env).values.names;

let ofThisProcess: Resolved<Config> | undefined;

/** The environment of this process, resolved when it is first needed and never again. */
export const ownConfig = (): Resolved<Config> => (ofThisProcess ??= resolveConfig(process.env));

/** Resolves the variables of a table. */
export function resolve<T extends Table>(table: T, env: NodeJS.ProcessEnv): Resolved<ValuesOf<T>> {
  const invalid: InvalidValue[] = [];
  const values = Object.entries(table).map(([key, definition]) => [key, valueOf(definition, env, invalid)]);
  return { values: Object.freeze(Object.fromEntries(values) as ValuesOf<T>), invalid };
}

function valueOf<T>(definition: Variable<T>, env: NodeJS.ProcessEnv, invalid: InvalidValue[]): T {
  const { name, expected, parse, unset, secret = false } = definition;
  const text = env[name] || (secret ? contentNamedBy(`${name}_FILE`, env, invalid) : '');
  if (text === '') return unset;
  const parsed = parse(text);
  if (parsed === undefined) invalid.push({ name, expected, got: secret ? 'a secret' : text });
  return parsed ?? unset;
}

/** The content of the file that a variable names, without the line end that editors leave. */
function contentNamedBy(name: string, env: NodeJS.ProcessEnv, invalid: InvalidValue[]): string {
  const path = env[name] ?? '';
  if (path === '') return '';
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    invalid.push({ name, expected: 'the path of a file that can be read', got: path });
    return '';
  }
}
