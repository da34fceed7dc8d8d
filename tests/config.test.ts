import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfig, resolve, resolveSettings, VARIABLES } from '../src/config.js';
import { DEFAULTS } from '../src/protocol/limits.js';
import { sentence } from '../src/errors.js';

test('an empty environment gives what holds without each variable', () => {
  const defaults = Object.entries(VARIABLES).map(([key, { unset }]) => [key, unset]);
  expect(readConfig({})).toEqual(Object.fromEntries(defaults));
  expect(readConfig({})).toMatchObject({ nodeEnv: 'production', port: DEFAULTS.port, logLevel: 'info' });
});

test('an empty text counts as not set', () => {
  expect(readConfig({ PORT: '', HOST: '', LOG_LEVEL: '', NODE_ENV: '' })).toEqual(readConfig({}));
});

test('the result cannot be changed', () => {
  expect(Object.isFrozen(readConfig({}))).toBe(true);
});

test.each([
  ['PORT', '0', { port: 0 }],
  ['PORT', '65535', { port: 65_535 }],
  ['HOST', '::1', { host: '::1' }],
  ['HOST', 'localhost', { host: 'localhost' }],
  ['WEB_CONCURRENCY', '1024', { webConcurrency: 1_024 }],
  ['TRUST_PROXY', 'true', { trustProxy: true }],
  ['TRUST_PROXY', '2', { trustProxy: 2 }],
  ['TRUST_PROXY', 'loopback, 10.0.0.0/8', { trustProxy: ['loopback', '10.0.0.0/8'] }],
  ['DRAIN_TIMEOUT_MS', '1001', { drainTimeoutMs: 1_001 }],
  ['CLOSE_TIMEOUT_MS', '0', { closeTimeoutMs: 0 }],
  ['LOG_LEVEL', 'silent', { logLevel: 'silent' }],
  ['LOG_REDACTED_QUERY', 'none', { logRedactedQuery: [] }],
  ['LOG_REDACTED_QUERY', 'ticket, api_key', { logRedactedQuery: ['ticket', 'api_key'] }],
  ['EXPRESS_TUNING', 'on', { expressTuning: true }],
  ['EXPRESS_TUNING', 'off', { expressTuning: false }],
  ['WATCHDOG_TIMEOUT_MS', '0', { watchdogTimeoutMs: 0 }],
  ['WATCHDOG_TIMEOUT_MS', '2000', { watchdogTimeoutMs: 2_000 }],
  ['OBSERVER', 'off', { observer: false }],
  ['MANAGEMENT_PORT', '9464', { managementPort: 9_464 }],
  ['MANAGEMENT_HOST', '::1', { managementHost: '::1' }],
  ['MANAGEMENT_TOKEN', '0123456789abcdef', { managementToken: '0123456789abcdef' }],
  ['FEATURES', 'off', { features: false }],
  ['OPENAPI', 'on', { openapi: true }],
  ['OVERLOAD_PROTECTION', 'on', { overloadProtection: true }],
  ['MAX_CONNECTIONS', '1000', { maxConnections: 1_000 }],
])('%s=%s is accepted', (name, text, expected) => {
  expect(readConfig({ [name]: text })).toMatchObject(expected);
});

test.each([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80a'],
  ['PORT', '3.5'],
  ['PORT', ' 80'],
  ['HOST', 'http://x'],
  ['NODE_ENV', 'staging'],
  ['LOG_LEVEL', 'INFO'],
  ['WEB_CONCURRENCY', '0'],
  ['WEB_CONCURRENCY', '1025'],
  ['LOG_REDACTED_QUERY', 'a,,b'],
  ['LOG_REDACTED_QUERY', 'a b'],
  ['TRUST_PROXY', 'everyone'],
  ['DRAIN_TIMEOUT_MS', '1000'],
  ['DRAIN_DELAY_MS', '1e3'],
  ['KEEP_ALIVE_TIMEOUT_MS', '0'],
  ['EXPRESS_TUNING', 'OFF'],
  ['EXPRESS_TUNING', 'false'],
  ['EXPRESS_TUNING', '0'],
  ['WATCHDOG_TIMEOUT_MS', '1999'],
  ['WATCHDOG_TIMEOUT_MS', '00'],
  ['OBSERVER', 'no'],
  ['MANAGEMENT_PORT', '0'],
  ['OVERLOAD_PROTECTION', 'true'],
  ['MAX_CONNECTIONS', '0'],
])('%s=%s is refused with name, value and allowed values', (name, text) => {
  expect(() => readConfig({ [name]: text })).toThrow(
    new RegExp(`${name} must be .+, got ${JSON.stringify(text)}`),
  );
});

test('all errors are reported together', () => {
  const problems = [
    { name: 'PORT', got: 'a' },
    { name: 'LOG_LEVEL', got: 'b' },
    { name: 'TRUST_PROXY', got: 'c' },
  ].map(problem => expect.objectContaining(problem) as unknown);
  expect(thrownBy(() => readConfig({ PORT: 'a', LOG_LEVEL: 'b', TRUST_PROXY: 'c' }))).toMatchObject({
    exitCode: 5,
    invalidValues: problems,
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

test('a supervisor reads its own settings only', () => {
  expect(resolveSettings({ PORT: 'anything', LOG_LEVEL: 'warn' })).toEqual({
    values: { nodeEnv: 'production', logLevel: 'warn', webConcurrency: undefined, runDir: undefined },
    invalid: [],
  });
});

test('an invalid value is listed, and the default applies', () => {
  const { values, invalid } = resolveSettings({ LOG_LEVEL: 'verbose', WEB_CONCURRENCY: '3' });
  expect(values).toEqual({ ...resolveSettings({}).values, webConcurrency: 3 });
  expect(invalid).toMatchObject([{ name: 'LOG_LEVEL', got: 'verbose' }]);
});

test.each([
  [undefined, 'nothing'],
  ['a', '"a"'],
  [NaN, 'NaN'],
  [-Infinity, '-Infinity'],
  [5n, '5n'],
  [{ a: 5n }, '{ a: 5n }'],
  [{ a: [1] }, '{"a":[1]}'],
])('a sentence about %p has the value', (got, text) => {
  expect(sentence({ name: 'x', expected: 'y', got })).toBe(`x must be y, got ${text}`);
});

test('a sentence about a cyclic object has the value', () => {
  const got: Record<string, unknown> = {};
  got['self'] = got;
  expect(sentence({ name: 'x', expected: 'y', got })).toBe(
    'x must be y, got <ref *1> { self: [Circular *1] }',
  );
});

describe('a secret', () => {
  const TABLE = {
    password: {
      name: 'PASSWORD',
      fallback: 'none',
      expected: 'at least 4 characters',
      purpose: 'Password of the database',
      parse: (text: string) => (text.length >= 4 ? text : undefined),
      unset: undefined as string | undefined,
      secret: true,
    },
  };
  const file = join(mkdtempSync(join(tmpdir(), 'cabe-secret-')), 'password');
  afterAll(() => rmSync(dirname(file), { recursive: true }));

  test('is in the variable, or in the file that NAME_FILE names, without its last line end', () => {
    writeFileSync(file, 'pass word\n');
    expect(resolve(TABLE, { PASSWORD_FILE: file }).values).toEqual({ password: 'pass word' });
    expect(resolve(TABLE, { PASSWORD: 'other', PASSWORD_FILE: file }).values).toEqual({ password: 'other' });
    expect(resolve(TABLE, {})).toEqual({ values: { password: undefined }, invalid: [] });
  });

  test('is in no message', () => {
    expect(resolve(TABLE, { PASSWORD: 'abc' }).invalid).toEqual([
      { name: 'PASSWORD', expected: 'at least 4 characters', got: 'a secret' },
    ]);
  });

  test('whose file cannot be read is refused with the path', () => {
    expect(resolve(TABLE, { PASSWORD_FILE: '/no/such/file' }).invalid).toEqual([
      { name: 'PASSWORD_FILE', expected: 'the path of a file that can be read', got: '/no/such/file' },
    ]);
  });

  test('only secrets may be in files', () => {
    expect(readConfig({ PORT_FILE: '/no/such/file' }).port).toBe(DEFAULTS.port);
  });
});
