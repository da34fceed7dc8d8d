/** Secrets are found by name, with any capitals and separators, at any depth. */
import { REDACTED_QUERY } from '../../src/config.js';
import { loggable } from '../../src/logging/loggable.js';
import { isSecret, queryRedaction, withoutSecrets } from '../../src/logging/redaction.js';

const SECRET = 's3cret';

test.each([
  'authorization',
  'Authorization',
  'AUTHORIZATION',
  'proxy-authorization',
  'Cookie',
  'cookies',
  'set-cookie',
  'X-Api-Key',
  'apikey',
  'apiKey',
  'api_key',
  'x-auth-token',
  'X-CSRF-Token',
  'token',
  'accessToken',
  'refresh_token',
  'password',
  'newPassword',
  'passwordHash',
  'DB_PASSWORD',
  'passwd',
  'passphrase',
  'secret',
  'clientSecret',
  'secretAccessKey',
  'privateKey',
  'credentials',
  'connectionString',
  'signature',
  'sessionId',
  'auth',
  'pwd',
])('%s is the name of a secret', name => {
  expect(isSecret(name, SECRET)).toBe(true);
});

test.each([
  'code',
  'key',
  'message',
  'author',
  'authority',
  'tokenType',
  'passenger',
  'cookieless',
  'compass',
  'statusCode',
  'path',
  'session',
])('%s is none', name => {
  expect(isSecret(name, 'x')).toBe(false);
});

test('what is not there gives nothing away', () => {
  const nothing = { token: null, password: undefined, secret: false, hasToken: true };
  expect(loggable(nothing)).toEqual(nothing);
});

/** Errors as their clients make them, with all that can be secret in them. */
const ERRORS: readonly (readonly [client: string, fields: object])[] = [
  [
    'axios',
    {
      config: {
        url: `/pay?api_key=${SECRET}`,
        auth: { username: 'me', password: SECRET },
        headers: { Authorization: `Bearer ${SECRET}`, 'X-API-KEY': SECRET, 'Proxy-Authorization': SECRET },
        params: { code: SECRET },
        data: JSON.stringify({ user: 'me', password: SECRET, nested: { access_token: SECRET } }),
      },
      request: {
        _header: `GET / HTTP/1.1\r\nAuthorization: Basic ${SECRET}\r\nCookie: a=${SECRET}; b=${SECRET}\r\n`,
      },
      response: {
        headers: { 'set-cookie': [`sid=${SECRET}`] },
        config: { headers: { cookie: SECRET } },
        request: { res: { rawHeaders: ['Set-Cookie', `sid=${SECRET}`, 'Server', 'x'] } },
      },
    },
  ],
  [
    'got',
    {
      options: {
        headers: { 'x-auth-token': SECRET },
        searchParams: new URLSearchParams({ access_token: SECRET }),
        url: new URL(`https://me:${SECRET}@host/?sig=${SECRET}`),
        https: {
          key: `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
          passphrase: SECRET,
        },
        form: `client_id=a&client_secret=${SECRET}`,
      },
    },
  ],
  [
    'undici',
    {
      headers: [
        ['authorization', SECRET],
        ['accept', '*/*'],
      ],
      body: { token: SECRET },
      opts: { headers: ['cookie', SECRET] },
    },
  ],
  [
    'node-fetch',
    { message: `request to https://me:${SECRET}@host/a?key=${SECRET} failed, reason: ECONNREFUSED` },
  ],
  [
    'pg',
    {
      client: {
        connectionParameters: { user: 'me', password: SECRET },
        connectionString: `postgres://me:${SECRET}@db/x`,
      },
      detail: `could not connect to postgres://me:${SECRET}@db/x`,
    },
  ],
  ['a map', { headers: new Map([['Authorization', SECRET]]) }],
  [
    'a class',
    {
      config: new (class Headers {
        'X-Api-Key' = SECRET;
      })(),
    },
  ],
];

test.each(ERRORS)('an error of %s is logged without its secrets', (_client, fields) => {
  const error = Object.assign(new Error('Request failed'), fields);
  const logged = JSON.stringify(loggable({ err: error, deeper: { still: { cause: error } } }));
  expect(logged).not.toContain(SECRET);
  expect(logged).toContain('[Redacted]');
});

test.each([
  ['Bearer abcdefgh1', 'Bearer [Redacted]'],
  ['sent "Authorization: Basic dXNlcjpwYXNz" to x', 'sent "Authorization: Basic [Redacted]" to x'],
  ["{ password: 'it\\'s' }", "{ password: '[Redacted]' }"],
  ['{"apiKey":"a\\"b","n":1}', '{"apiKey":"[Redacted]","n":1}'],
  ['redis://:pass@host:6379', 'redis://[Redacted]@host:6379'],
  ['GET /a?token=x&n=1 failed', 'GET /a?token=[Redacted]&n=1 failed'],
  ['password=x; user=me', 'password=[Redacted]; user=me'],
])('the text %p is logged as %p', (text, clean) => {
  expect(withoutSecrets(text)).toBe(clean);
  expect(withoutSecrets(clean)).toBe(clean);
});

test.each([
  'connect ECONNREFUSED 127.0.0.1:5432',
  'Error: no token: sign in first\n    at next (node:internal/a.js:1:2)',
  'duplicate key value violates unique constraint "users_email"',
  'Basic authentication is off; see http://host:80/path?page=2#key',
  'Worker 1 failed: a promise was rejected without a reason',
])('the text %p is logged as it is', text => {
  expect(withoutSecrets(text)).toBe(text);
});

describe('in a URL', () => {
  const redacted = queryRedaction(REDACTED_QUERY);

  test.each([
    ['/a?token=x', '/a?token=[Redacted]'],
    ['/a?b=1&TOKEN=x&c=2', '/a?b=1&TOKEN=[Redacted]&c=2'],
    [
      '/a?accessToken=x&access-token=y&access_token=z',
      '/a?accessToken=[Redacted]&access-token=[Redacted]&access_token=[Redacted]',
    ],
    ['/a?token=x=y?z"\'', '/a?token=[Redacted]'],
    ['/a?token=a&token=b', '/a?token=[Redacted]&token=[Redacted]'],
    ['/a?token=', '/a?token=[Redacted]'],
    ['/a?user[password]=x', '/a?user[password]=[Redacted]'],
    ['/a?user%5Bpassword%5D=x', '/a?user%5Bpassword%5D=[Redacted]'],
    ['/a?next=/b?code=x&d=1', '/a?next=/b?code=[Redacted]&d=1'],
    [
      '/a?next=https%3A%2F%2Fb%2F%3Fcode%3Dx%26d%3D1',
      '/a?next=https%3A%2F%2Fb%2F%3Fcode%3D[Redacted]%26d%3D1',
    ],
    ['/a?X-Amz-Signature=x&X-Amz-Date=y', '/a?X-Amz-Signature=[Redacted]&X-Amz-Date=y'],
  ])('%s becomes %s', (url, clean) => {
    expect(redacted(url)).toBe(clean);
  });

  test.each(['/a', '/a?', '/token=x', '/a?page=2&sort_key=a', '/a?tokens', '/a?decode=1&zip_code=2'])(
    '%s stays',
    url => {
      expect(redacted(url)).toBe(url);
    },
  );

  test('other parameters can be named, and none', () => {
    expect(queryRedaction(['ticket', 'a.b'])('/?ticket=1&token=2&a.b=3&axb=4')).toBe(
      '/?ticket=[Redacted]&token=2&a.b=[Redacted]&axb=4',
    );
    expect(queryRedaction([])('/?token=2')).toBe('/?token=2');
  });
});

test.each([
  ['ampersands', '?' + '&'.repeat(8_000)],
  ['brackets', '?' + '['.repeat(8_000)],
  ['a name without an end', '?' + 'token'.repeat(1_600)],
  ['colons', 'a:'.repeat(4_000)],
  ['quotes', `password: "${'\\'.repeat(7_000)}`],
  ['schemes', 'https://'.repeat(1_000)],
  ['lines', 'cookie:\n'.repeat(1_000)],
  ['keys', '-----BEGIN PRIVATE KEY-----'.repeat(300)],
])('a text of nothing but %s is read in no time', (_name, text) => {
  const begun = performance.now();
  withoutSecrets(text);
  queryRedaction(REDACTED_QUERY)(text);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
