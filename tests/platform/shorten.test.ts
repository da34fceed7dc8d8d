/** Lines that are too long stay lines, and JSON. */
import fc from 'fast-check';
import { cutText, fitted } from '../../src/platform/shorten.js';

const MAX = 4_096;
const jsonLine = (fields: object): string => `${JSON.stringify(fields)}\n`;
const BASE = { level: 30, time: 1, pid: 2, hostname: 'host', env: 'production' };

test('what fits stays as it is', () => {
  const line = jsonLine({ ...BASE, msg: 'hello' });
  expect(fitted(line, MAX)).toEqual([line]);
});

test('long strings are cut at any depth, short ones are kept, and the line says so', () => {
  const [line = '', ...more] = fitted(
    jsonLine({
      ...BASE,
      err: { message: 'broken', stack: `at ${'x'.repeat(10_000)}` },
      msg: 'Request failed',
    }),
    MAX,
  );
  expect(more).toEqual([]);
  expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX);
  // Not cut further than it needs.
  expect(Buffer.byteLength(line)).toBeGreaterThan(MAX * 0.7);
  expect(JSON.parse(line)).toEqual({
    ...BASE,
    err: { message: 'broken', stack: expect.stringMatching(/^at x+…$/) as string },
    msg: 'Request failed',
    shortened: true,
  });
});

test('thousands of fields leave what every line carries', () => {
  const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, index]));
  const [line = ''] = fitted(jsonLine({ ...BASE, ...fields, msg: 'm'.repeat(100) }), MAX);
  expect(JSON.parse(line)).toEqual({ ...BASE, shortened: true, msg: `${'m'.repeat(63)}…` });
});

test('a line that has many fields in place of one that every line carries fits, too', () => {
  const env = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`VARIABLE_${index}`, 'x'.repeat(99)]),
  );
  const [line = '', ...more] = fitted(
    jsonLine({ ...BASE, env, hostname: 'h'.repeat(MAX), msg: 'boot' }),
    MAX,
  );
  expect(more).toEqual([]);
  const { env: _replaced, ...rest } = BASE;
  expect(JSON.parse(line)).toEqual({ ...rest, hostname: `${'h'.repeat(63)}…`, shortened: true, msg: 'boot' });
});

test('other text is parted at its line ends, and only a line that is too long is cut', () => {
  const parts = fitted(`first\n${'é'.repeat(MAX)}\nlast\n`, MAX);
  expect([parts.length, parts[0], parts[2]]).toEqual([3, 'first\n', 'last\n']);
  expect(parts[1]).toMatch(/^é+…\n$/);
  expect(Buffer.byteLength(parts[1] ?? '')).toBeLessThanOrEqual(MAX);
});

test('a cut leaves no half of a character', () => {
  expect(cutText('ab😀d', 4)).toBe('ab…');
  expect(cutText('abc', 3)).toBe('abc');
});

/** Also halves of characters, escapes and control characters, and all of it much too long. */
const hostile = fc
  .tuple(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('', '"', '\\', '\ud800', '\u0000', '😀'),
  )
  .chain(([text, odd]) => fc.integer({ min: 0, max: 500 }).map(times => (odd + text).repeat(times)));

test('any line becomes one line of JSON that fits', () => {
  const value = fc.oneof(
    hostile,
    fc.array(hostile, { maxLength: 5 }),
    fc.dictionary(fc.string(), fc.jsonValue()),
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ maxLength: 20 }), value, { maxKeys: 5 }),
      hostile,
      (fields, msg) => {
        const parts = fitted(jsonLine({ ...fields, ...BASE, msg }), MAX);
        expect(parts).toHaveLength(1);
        const [line = ''] = parts;
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(JSON.parse(line)).toMatchObject(BASE);
      },
    ),
    { numRuns: 100 },
  );
});
