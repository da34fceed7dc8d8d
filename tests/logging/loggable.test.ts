/** Whatever is thrown has a line, and a record for the log. Nothing makes these functions throw. */
import { createServer, request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { errorLine, errorRecord, loggable, rejected, stackText } from '../../src/logging/loggable.js';

const no = (): never => {
  throw new Error('no');
};
const TRAPS = Reflect.ownKeys(Reflect).filter(trap => typeof trap === 'string');
const EVERY_TRAP = Object.fromEntries(TRAPS.map(trap => [trap, no]));

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

class Hostile extends Error {
  override get message(): string {
    return no();
  }
  override get stack(): string {
    return no();
  }
  override get name(): string {
    return no();
  }
  override get cause(): unknown {
    return no();
  }
  get errors(): unknown {
    return no();
  }
  get [Symbol.toStringTag](): string {
    return no();
  }
}

const causedBy = (message: string, cause: unknown): Error => new Error(message, { cause });
const cyclic = causedBy('a', undefined);
cyclic.cause = causedBy('b', cyclic);
const endless = (): unknown => ({ toJSON: endless });

test.each<[string, unknown, string]>([
  ['an error', new Error('no database'), 'no database'],
  ['an error of its own kind', new TypeError('x is not a function'), 'TypeError: x is not a function'],
  ['an error of several lines', new Error('first\nsecond'), 'first'],
  ['an error that begins with an empty line', new Error('\nsecond'), 'second'],
  ['an error without a message', new RangeError(), 'RangeError'],
  ['an error without any word', new Error(), 'Error'],
  ['an endless error', new Error('x'.repeat(1_000)), 'x'.repeat(300)],
  ['a frozen error', Object.freeze(new Error('out of stock')), 'out of stock'],
  ['a sealed error', Object.seal(new Error('out of stock')), 'out of stock'],
  [
    'an error with a cause',
    causedBy('no answer', new Error('connect ECONNREFUSED')),
    'no answer: connect ECONNREFUSED',
  ],
  ['an error with a cause that is none', causedBy('no answer', 'a text'), 'no answer'],
  [
    'an error that quotes its cause',
    causedBy('no answer (refused)', new Error('refused')),
    'no answer (refused)',
  ],
  ['an error that causes itself', cyclic, 'a: b'],
  [
    'an AggregateError without a message',
    new AggregateError([new Error('::1'), 'text', undefined]),
    '::1; text; undefined was thrown',
  ],
  [
    'an AggregateError with one',
    new AggregateError([new Error('x')], 'all of them'),
    'AggregateError: all of them',
  ],
  ['an error that cannot be read', new Hostile(), 'an error that cannot be read'],
  ['a message that is no text', Object.assign(new Error(), { message: 5 }), '5'],
  ['a text', 'SIGTERM', 'SIGTERM'],
  ['an empty text', '', "'' was thrown"],
  ['nothing', undefined, 'undefined was thrown'],
  ['null', null, 'null was thrown'],
  ['a number', 5, '5 was thrown'],
  ['NaN', NaN, 'NaN was thrown'],
  ['a big number', 5n, '5n was thrown'],
  ['false', false, 'false was thrown'],
  ['a symbol', Symbol('why'), 'Symbol(why) was thrown'],
  ['a function', no, 'a function was thrown'],
  ['an object', { code: 5 }, '{ code: 5 } was thrown'],
  [
    'an object without a prototype',
    Object.assign(Object.create(null) as object, { code: 5 }),
    '{ code: 5 } was thrown',
  ],
  ['a proxy that refuses everything', new Proxy({}, EVERY_TRAP), 'an object that cannot be read was thrown'],
  ['a revoked proxy', revoked({}), 'an object that cannot be read was thrown'],
  ['a revoked proxy of an error', revoked(new Error('x')), 'an object that cannot be read was thrown'],
])('the line of %s', (_name, thrown, line) => {
  expect(errorLine(thrown)).toBe(line);
  const { type, message, stack } = errorRecord(thrown);
  expect([typeof type, typeof message, typeof stack]).toEqual(['string', 'string', 'string']);
  expect(stack).not.toBe('');
  expect(stackText(thrown)).toBe(stack);
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'a promise was rejected without a reason'],
  ['null', null, 'a promise was rejected with null'],
  ['a text', 'why', "a promise was rejected with 'why'"],
  ['a symbol', Symbol('why'), 'a promise was rejected with Symbol(why)'],
])('a rejection with %s says that it is one', (_name, reason, line) => {
  expect(errorLine(rejected(reason))).toBe(line);
  expect(errorRecord(rejected(reason))).toMatchObject({ type: 'Error', stack: `Error: ${line}` });
});

test('the reason of a rejection stays what it is where it is an error', () => {
  const error = new Error('x');
  expect(rejected(error)).toBe(error);
});

describe('the record of an error', () => {
  test('has type, message, stack and fields, and the messages and stacks of its causes', () => {
    const error = Object.assign(causedBy('no answer', new RangeError('too far')), {
      code: 'E_FAR',
      port: 80,
    });
    const record = errorRecord(error);
    expect(record).toMatchObject({ type: 'Error', message: 'no answer: too far', code: 'E_FAR', port: 80 });
    expect(record.stack).toMatch(/^Error: no answer\n {4}at [^]*\ncaused by: RangeError: too far\n {4}at /);
  });

  test('has the errors of an AggregateError', () => {
    const { aggregateErrors } = errorRecord(new AggregateError([new Error('a'), 'b', undefined]));
    expect(aggregateErrors).toEqual([expect.objectContaining({ type: 'Error', message: 'a' }), 'b', null]);
  });

  test('has what an error holds although other fields of it cannot be read', () => {
    const error = Object.defineProperty(Object.assign(new Error('x'), { code: 'E' }), 'bad', {
      enumerable: true,
      get: no,
    });
    expect(errorRecord(error)).toMatchObject({ message: 'x', code: 'E', bad: '[unreadable]' });
  });

  test('keeps the frames behind a huge message', () => {
    const { message, stack } = errorRecord(new Error('x'.repeat(1_000_000)));
    expect(message).toMatch(/^x+… \(1000000 characters\)$/);
    expect(stack).toMatch(/\n {4}at .*loggable\.test/);
    expect(message.length + stack.length).toBeLessThan(10_000);
  });

  test('of what is no error has its fields', () => {
    expect(errorRecord({ code: 5, password: 's3cret' })).toEqual({
      type: 'Object',
      message: "{ code: 5, password: '[Redacted]' } was thrown",
      stack: expect.any(String),
      thrown: { code: 5, password: '[Redacted]' },
    });
  });

  test('leaves the error as it was', () => {
    const error = Object.assign(causedBy('a', new Error('b')), { config: { headers: { cookie: 'x' } } });
    const before = Reflect.ownKeys(error);
    errorRecord(error);
    expect(Reflect.ownKeys(error)).toEqual(before);
    expect(error.config.headers.cookie).toBe('x');
  });
});

test.each<[string, unknown, unknown]>([
  ['dates', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
  ['dates that are none', { at: new Date(NaN) }, { at: null }],
  ['URLs', { to: new URL('http://a/b?token=x') }, { to: 'http://a/b?token=[Redacted]' }],
  ['what says itself what it is', { toJSON: () => ({ a: 1 }) }, { a: 1 }],
  ['what cannot say it', { a: 1, toJSON: no }, { a: 1 }],
  ['bytes', { data: Buffer.from('abc') }, { data: '[Buffer, 3 bytes]' }],
  ['maps and sets', { m: new Map([['a', 1]]), s: new Set([1]) }, { m: { a: 1 }, s: [1] }],
  ['big numbers', { n: 5n }, { n: '5' }],
  ['functions and symbols', { f: no, s: Symbol('s') }, { f: undefined, s: 'Symbol(s)' }],
  ['nothing', { u: undefined, n: null }, { u: undefined, n: null }],
])('%s are copied as plain data', (_name, value, copy) => {
  expect(loggable(value)).toEqual(copy);
});

test.each([
  ['deep', Array.from({ length: 10_000 }).reduce<object>(inner => ({ inner }), {})],
  ['wide', Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, index]))],
  ['long', Array.from({ length: 10_000 }, () => 'x'.repeat(1_000))],
  ['both', Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 'x'.repeat(100)))],
  ['endless', endless()],
  ['sparse', Object.assign([], { length: 1e9 })],
  ['long-named', { ['x'.repeat(1e6)]: 1 }],
])('a %s value has a copy of bounded size', (_name, value) => {
  expect(JSON.stringify(loggable(value)).length).toBeLessThan(40_000);
});

test('a value that contains itself has a copy, and one that is there twice is there twice', () => {
  const twice = { a: 1 };
  const self: Record<string, unknown> = { first: twice, second: twice };
  self['self'] = self;
  expect(loggable(self)).toEqual({ first: { a: 1 }, second: { a: 1 }, self: '[Circular]' });
});

test('no value of any kind makes a copy throw, or one that is no JSON', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
        withDate: true,
      }),
      value => {
        const error = Object.freeze(Object.assign(new Error('x', { cause: value }), { value }));
        for (const thrown of [value, error, revoked(Object(value) as object)]) {
          expect(errorLine(thrown).length).toBeLessThanOrEqual(300);
          expect(typeof JSON.stringify(errorRecord(thrown))).toBe('string');
        }
      },
    ),
  );
});

test.each(TRAPS)('a proxy whose trap %s throws has a line and a record', trap => {
  for (const target of [new Error('x'), new AggregateError([1]), {}, [], () => 1]) {
    const proxy = new Proxy(target, { [trap]: no });
    expect(errorLine(proxy)).not.toBe('');
    expect(JSON.parse(JSON.stringify(errorRecord(proxy)))).toMatchObject({ message: expect.any(String) });
    expect(JSON.stringify({ value: loggable({ proxy, cause: new Error('y', { cause: proxy }) }) })).not.toBe(
      '',
    );
  }
});

test('an AggregateError that contains itself, and lists of an odd kind, have a line', () => {
  const aggregate = new AggregateError([]);
  aggregate.errors.push(aggregate, new Error('a'));
  expect(errorLine(aggregate)).toBe('AggregateError; a');
  expect(errorRecord(aggregate)['aggregateErrors']).toHaveLength(2);
  class Odd extends Array<unknown> {
    static override get [Symbol.species](): never {
      return no();
    }
  }
  const odd = Object.assign(new AggregateError([], 'odd'), { errors: new Odd(3) });
  expect(errorLine(odd)).toBe('AggregateError: odd');
  expect(errorRecord(odd)).toMatchObject({ type: 'AggregateError', message: 'odd' });
});

test('of a request that failed there is what says which one it was', async () => {
  const server = createServer((_request, response) =>
    response.writeHead(404, { 'Set-Cookie': 's3cret' }).end(),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/a?token=s3cret',
    headers: { 'X-Api-Key': 's3cret' },
  }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(server.close(), 'close');
  const error = Object.assign(new Error('Request failed'), { request: sent, response, socket: sent.socket });
  expect(errorRecord(error)).toMatchObject({
    request: { method: 'GET', path: '/a?token=[Redacted]', host: '127.0.0.1' },
    response: { statusCode: 404, headers: { 'set-cookie': '[Redacted]' } },
    socket: '[Socket]',
  });
  expect(JSON.stringify(errorRecord(error))).not.toContain('s3cret');
});
