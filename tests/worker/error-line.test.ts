/** Anything that is thrown has a line that tells it. */
import { errorLine } from '../../src/worker/error-line.js';

class Hostile extends Error {
  override get message(): string {
    throw new Error('not to be read');
  }
}

test.each<[string, unknown, string]>([
  ['an error', new Error('no database'), 'no database'],
  ['an error of its own kind', new TypeError('x is not a function'), 'TypeError: x is not a function'],
  ['an error of several lines', new Error('first\nsecond'), 'first'],
  ['an endless error', new Error('x'.repeat(1_000)), 'x'.repeat(300)],
  ['a text', 'SIGTERM', 'SIGTERM'],
  ['nothing', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a symbol', Symbol('why'), 'Symbol(why)'],
  ['an object', { code: 5 }, '{ code: 5 }'],
  ['an error that cannot be read', new Hostile(), 'an error that cannot be read'],
  ['a message that is no text', Object.assign(new Error(), { message: 5 }), 'an error that cannot be read'],
  [
    'a proxy that refuses everything',
    new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new Error('no');
        },
      },
    ),
    'an error that cannot be read',
  ],
])('%s', (_name, thrown, line) => {
  expect(errorLine(thrown)).toBe(line);
});
