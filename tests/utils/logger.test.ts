import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import pino from 'pino';
import { createAccessLog } from '../../src/http/access-log.js';
import { NAME } from '../../src/version.js';
import { createLogger, type LoggerOptions } from '../../src/utils/logger.js';

function capture(options: Omit<LoggerOptions, 'output'>): {
  logger: ReturnType<typeof createLogger>;
  lines: string[];
} {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { logger: createLogger({ ...options, output: { write, writeSoon: write } }), lines };
}

const first = (lines: string[]): Record<string, unknown> =>
  JSON.parse(lines[0] ?? '') as Record<string, unknown>;

describe('in production', () => {
  test('a line is JSON with exactly level, time, pid, hostname, env and msg', () => {
    const { logger, lines } = capture({ env: 'production' });
    logger.info('hello');
    expect(Object.entries(first(lines))).toEqual([
      ['level', 30],
      ['time', expect.any(Number)],
      ['pid', process.pid],
      ['hostname', hostname()],
      ['env', 'production'],
      ['msg', 'hello'],
    ]);
  });

  test('the level is info unless said otherwise', () => {
    expect(capture({ env: 'production' }).logger.level).toBe('info');
    const { logger, lines } = capture({ env: 'production', level: 'warn' });
    logger.info('unimportant');
    logger.warn('important');
    expect(lines).toHaveLength(1);
  });

  test('credentials are redacted, requests and errors are serialized as pino does', () => {
    const { logger, lines } = capture({ env: 'production' });
    const headers = { authorization: 'Bearer s3cret', cookie: 'sid=s3cret', accept: '*/*' };
    logger.info({ req: { id: 1, method: 'GET', url: '/', headers }, err: new RangeError('too far') }, 'both');
    expect(first(lines)).toMatchObject({
      req: {
        method: 'GET',
        url: '/',
        headers: { authorization: '[Redacted]', cookie: '[Redacted]', accept: '*/*' },
      },
      err: { type: 'RangeError', message: 'too far', stack: expect.any(String) },
    });
    expect(lines.join()).not.toContain('s3cret');
  });

  test('cookies that are set are redacted, in an answer as in headers of any kind', () => {
    const { logger, lines } = capture({ env: 'production' });
    const setting = { 'set-cookie': ['sid=s3cret; HttpOnly'], 'content-type': 'text/plain' };
    const answer = new ServerResponse(new IncomingMessage(new Socket()));
    answer.setHeaders(new Map(Object.entries(setting)));
    logger.info({ res: answer, headers: setting }, 'answered');
    const redacted = { 'set-cookie': '[Redacted]', 'content-type': 'text/plain' };
    expect(first(lines)).toMatchObject({ res: { headers: redacted }, headers: redacted });
    expect(lines.join()).not.toContain('s3cret');
  });
});

describe('anything that is logged', () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  class Hostile extends Error {
    override get message(): string {
      throw new Error('no');
    }
  }

  test.each<[string, unknown[], object]>([
    ['an error alone', [new RangeError('far')], { err: { type: 'RangeError', message: 'far' }, msg: 'far' }],
    ['an error and a text', [new Error('far'), 'went %s', 'on'], { err: { message: 'far' }, msg: 'went on' }],
    [
      'a frozen error',
      [{ err: Object.freeze(new Error('far')) }, 'x'],
      { err: { message: 'far' }, msg: 'x' },
    ],
    ['a hostile error', [new Hostile(), 'x'], { err: { type: 'Hostile' }, msg: 'x' }],
    ['a hostile error alone', [new Hostile()], { msg: 'an error that cannot be read' }],
    ['an error in another field', [{ cause: new Error('far') }], { cause: { message: 'far' } }],
    ['an error in the message', ['x: %s', new Error('far')], { msg: 'x: far' }],
    ['a revoked proxy', [revoked, 'x'], { msg: 'x' }],
    ['a field that is one', [{ value: revoked }, 'x'], { value: '[unreadable]', msg: 'x' }],
    ['one in the message', ['x %o', revoked], { msg: "x '[unreadable]'" }],
    ['a symbol', [Symbol('x')], { msg: 'Symbol(x) was thrown' }],
    ['nothing', [undefined, 'x'], { msg: 'x' }],
    ['null', [null, 'x'], { msg: 'x' }],
    ['a big number', [{ n: 5n }, 'x'], { n: '5', msg: 'x' }],
    ['a secret', [{ a: { b: { PASSWORD: 's3cret' } }, token: 's3cret' }, 'x'], { token: '[Redacted]' }],
    [
      'a secret in the message',
      ['GET /?token=s3cret %s', '/?key=s3cret'],
      { msg: 'GET /?token=[Redacted] /?key=[Redacted]' },
    ],
    [
      'a request',
      [
        {
          req: {
            method: 'GET',
            url: '/?token=s3cret',
            query: { code: 's3cret' },
            headers: { 'X-API-Key': 's3cret' },
          },
        },
      ],
      {
        req: {
          url: '/?token=[Redacted]',
          query: { code: '[Redacted]' },
          headers: { 'X-API-Key': '[Redacted]' },
        },
      },
    ],
  ])('%s has a line', (_name, args, line) => {
    const { logger, lines } = capture({ env: 'production' });
    logger.info(...(args as [unknown, string]));
    expect(lines).toHaveLength(1);
    expect(first(lines)).toMatchObject(line);
    expect(lines[0]).not.toContain('s3cret');
  });

  test('a child has no secrets in its bindings, and gives its own serializers what it is given', () => {
    const { logger, lines } = capture({ env: 'production' });
    const serializers = { user: ({ name }: { name: string }) => name };
    class User {
      readonly #name = 'me';
      get name(): string {
        return this.#name;
      }
    }
    logger
      .child({ headers: { cookie: 's3cret' }, tenant: 'a' }, { serializers })
      .info({ user: new User() }, 'x');
    expect(first(lines)).toMatchObject({
      headers: { cookie: '[Redacted]' },
      tenant: 'a',
      user: 'me',
      msg: 'x',
    });
  });

  test('a serializer of a child gives no secrets away, and none that throws loses its field', () => {
    const { logger, lines } = capture({ env: 'production' });
    const { req, err } = pino.stdSerializers;
    // As pino-http does.
    const child = logger.child({}, { serializers: { req, err } });
    const asked = { id: 'abc', method: 'GET', url: '/?token=s3cret', headers: { Authorization: 's3cret' } };
    child.child({ req: asked }).info({ err: Object.freeze(new Error('out of stock')) }, 'x');
    expect(first(lines)).toMatchObject({
      req: { id: 'abc', url: '/?token=[Redacted]', headers: { Authorization: '[Redacted]' } },
      err: { message: 'out of stock' },
    });
  });

  test('an answer that a serializer of a child has read is not read once more', () => {
    const { logger, lines } = capture({ env: 'production' });
    const child = logger.child({}, { serializers: { res: pino.stdSerializers.res } });
    const res = {
      setHeader: () => undefined,
      headersSent: true,
      statusCode: 200,
      getHeaders: () => ({ etag: 'x' }),
    };
    child.info({ res }, 'x');
    expect(first(lines)).toMatchObject({ res: { statusCode: 200, headers: { etag: 'x' } } });
  });
});

describe('in development', () => {
  const withColours = process.env['NO_COLOR'];
  afterEach(() => {
    if (withColours === undefined) delete process.env['NO_COLOR'];
    else process.env['NO_COLOR'] = withColours;
  });

  test('a line reads [yyyy-mm-dd HH:MM:ss] LEVEL: message, in local time', () => {
    process.env['NO_COLOR'] = '1';
    const { logger, lines } = capture({ env: 'development' });
    logger.info('hello');
    const [, stamp = ''] = /^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] INFO: hello\n$/.exec(lines[0] ?? '') ?? [];
    expect(Math.abs(new Date(stamp.replace(' ', 'T')).getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('fields of a line are shown, with any names, and the id of the request', () => {
    process.env['NO_COLOR'] = '1';
    const { logger, lines } = capture({ env: 'development' });
    logger.info({ requestId: 'a-1', method: 'card', url: '/pay', status: 'paid', ms: 7 }, 'Paid');
    expect(lines[0]).toMatch(
      /INFO: Paid \{"requestId":"a-1","method":"card","url":"\/pay","status":"paid","ms":7\}\n$/,
    );
  });

  test('an access line shows its fields once, in its message, and the id', () => {
    process.env['NO_COLOR'] = '1';
    const { logger, lines } = capture({ env: 'development' });
    createAccessLog(logger)({
      requestId: 'a-1',
      trace: undefined,
      method: 'GET',
      url: '/health',
      status: 200,
      ms: 1.5,
      cut: false,
    });
    expect(lines[0]).toMatch(/INFO: GET \/health 200 1\.5 ms \{"requestId":"a-1"\}\n$/);
  });

  test('lines are coloured, unless NO_COLOR asks for none', () => {
    delete process.env['NO_COLOR'];
    const { logger, lines } = capture({ env: 'development' });
    logger.info('hello');
    expect(lines[0]).toContain('\u001b[32mINFO');
  });
});

test('a level that does not exist is refused with those that do', () => {
  expect(() => createLogger({ env: 'production', level: 'loud' as never })).toThrow(
    'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, got "loud"',
  );
});

describe('from plain JavaScript', () => {
  const run = (code: string, env: Record<string, string>): string =>
    execFileSync(process.execPath, ['-e', code], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  test("require('NAME/logger') gives a logger that follows the environment", () => {
    const code = `const { logger } = require('${NAME}/logger'); logger.info('unimportant'); logger.warn('hello')`;
    const lines = run(code, { LOG_LEVEL: 'warn' }).trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(first(lines)).toMatchObject({ level: 40, env: 'production', msg: 'hello' });
  });

  test('it asks for no variable but its own', () => {
    const lines = run(`require('${NAME}/logger').logger.info('hello')`, {
      WEB_CONCURRENCY: 'auto',
      PORT: 'x',
    });
    expect(first([lines])).toMatchObject({ msg: 'hello' });
  });

  test('production never loads pino-pretty', () => {
    const code = `
      require('${NAME}/logger').logger.info('hello');
      console.log(Object.keys(require.cache).filter(path => path.includes('pino-pretty')).length)`;
    expect(run(code, {}).trim().split('\n').at(-1)).toBe('0');
  });

  test('development without pino-pretty says so once and goes on in JSON', () => {
    const code = `
      const { _resolveFilename } = require('module');
      require('module')._resolveFilename = function (name, ...rest) {
        if (name === 'pino-pretty') throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' });
        return _resolveFilename.call(this, name, ...rest);
      };
      const { createLogger, logger } = require('${NAME}/logger');
      logger.info('hello');
      createLogger({ env: 'development' }).info('again')`;
    const lines = run(code, { NODE_ENV: 'development' }).trim().split('\n');
    expect(lines.map(line => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'pino-pretty is not installed, so development logs are JSON; "yarn install" brings it',
      'hello',
      'again',
    ]);
  });

  const TALKATIVE = `
    const { logger } = require('${NAME}/logger');
    for (let line = 0; line < 2000; line++) logger.info('x'.repeat(100));
    process.stderr.write('survived');`;

  test.each([
    ['a reader that goes away', 'pipe' as const, 'survived'],
    [
      'a disk that is full',
      openSync('/dev/full', 'w'),
      'Log lines are lost: ENOSPC: no space left on device, write\nsurvived',
    ],
  ])('%s does not harm the program', async (_name, stdout, words) => {
    const child = spawn(process.execPath, ['-e', TALKATIVE], { stdio: ['ignore', stdout, 'pipe'] });
    child.stdout?.destroy();
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([0, words]);
  });

  test('a full disk that both outputs share does not harm the program', async () => {
    const code = `
      const { logger } = require('${NAME}/logger');
      logger.info('hello');
      process.emitWarning('Node has something to say, too');
      setTimeout(() => process.exit(7), 200);`;
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', full, full] });
    expect(await once(child, 'close')).toEqual([7, null]);
  });
});
