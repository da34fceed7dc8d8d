/** Whole lines, in their order, into an output that takes as much as it likes. */
import fc from 'fast-check';
import { createLineWriter, PIPE_BUF, type LineWriter } from '../../src/platform/line-writer.js';
import { until } from '../support/processes.js';

const problem = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

/** What the output does with the next piece: takes so many bytes of it, or fails. */
type Behaviour = number | 'EAGAIN' | 'EPIPE' | 'ENOSPC';
const ALL = Infinity;

/** A writer, and the output that it writes to. */
function setUp({ isPipe = true, behaves = () => ALL }: { isPipe?: boolean; behaves?: () => Behaviour } = {}) {
  const output = { pieces: [] as string[], tries: 0, behaves };
  const reports: [number, string][] = [];
  const failures: (string | undefined)[] = [];
  const writer: LineWriter = createLineWriter({
    target: { fd: -1, isPipe },
    failed: ({ code }) => failures.push(code),
    lost(count, reason) {
      reports.push([count, reason]);
      writer.add(`${count} lost\n`);
      writer.send();
    },
    write(_fd, bytes, offset, length) {
      output.tries++;
      const behaviour = output.behaves();
      if (typeof behaviour === 'string') throw problem(behaviour);
      const taken = Math.min(length, behaviour);
      output.pieces.push(Buffer.from(bytes.subarray(offset, offset + taken)).toString('latin1'));
      return taken;
    },
  });
  return { writer, output, reports, failures };
}

const text = (pieces: readonly string[]): string => Buffer.from(pieces.join(''), 'latin1').toString();
const numbered = (count: number, size = 100): string[] =>
  Array.from({ length: count }, (_, index) => `${String(index).padEnd(size - 1, '.')}\n`);

function addAll(writer: LineWriter, lines: readonly string[]): void {
  for (const line of lines) writer.add(line);
  writer.send();
}

test('pieces for a pipe end at a line end and are as large as it keeps together', () => {
  const { writer, output } = setUp();
  const lines = numbered(100);
  addAll(writer, lines);
  expect(text(output.pieces)).toBe(lines.join(''));
  expect(output.pieces.map(({ length }) => length)).toEqual([4_000, 4_000, 2_000]);
});

test('a file gets the lines of a turn in one piece, and long lines whole', () => {
  const { writer, output } = setUp({ isPipe: false });
  const long = `${'x'.repeat(100_000)}\n`;
  addAll(writer, numbered(100));
  addAll(writer, [long]);
  expect(output.pieces).toEqual([numbered(100).join(''), long]);
});

test('a line that is too long for a pipe is shortened', () => {
  const { writer, output } = setUp();
  addAll(writer, [`{"msg":"${'x'.repeat(10_000)}"}\n`]);
  expect(JSON.parse(text(output.pieces))).toMatchObject({ shortened: true });
});

test('a full pipe is not waited for; its lines come later, in their order', async () => {
  const { writer, output } = setUp({ behaves: () => 'EAGAIN' });
  addAll(writer, numbered(200));
  expect(output.pieces).toEqual([]);
  output.behaves = () => ALL;
  addAll(writer, ['last\n']);
  await until(() => output.pieces.at(-1) === 'last\n', 'the queue is written');
  expect(text(output.pieces)).toBe([...numbered(200), 'last\n'].join(''));
});

test('in a busy loop no timer fires, and lines are written all the same', () => {
  const { writer, output } = setUp({ behaves: () => 'EAGAIN' });
  addAll(writer, ['first\n']);
  output.behaves = () => ALL;
  const deadline = performance.now() + 10_000;
  while (output.pieces.length === 0 && performance.now() < deadline) addAll(writer, ['more\n']);
  expect(output.pieces[0]).toBe('first\n');
});

test('what finds no room is counted, and reported once when the output takes lines again', async () => {
  const { writer, output, reports } = setUp({ behaves: () => 'EAGAIN' });
  const lines = numbered(10_000, 1_000);
  addAll(writer, lines);
  const lost = writer.totalLost();
  expect(lost).toBeGreaterThan(1_000);
  output.behaves = () => ALL;
  await until(() => reports.length > 0, 'it is reported');
  addAll(writer, ['last\n']);
  await until(() => output.pieces.at(-1)?.endsWith('last\n') === true, 'the queue is written');
  expect(reports).toEqual([[lost, 'the reader of standard output was too slow']]);
  const kept = lines.slice(0, lines.length - lost);
  expect(Buffer.byteLength(kept.join(''))).toBeGreaterThan(8_000_000);
  expect(text(output.pieces)).toBe([...kept, `${lost} lost\n`, 'last\n'].join(''));
});

test('a reader that goes away costs its lines, and a later one learns how many', async () => {
  const { writer, output, reports, failures } = setUp({ behaves: () => 'EPIPE' });
  addAll(writer, ['1\n', '2\n']);
  addAll(writer, ['3\n']);
  output.behaves = () => ALL;
  addAll(writer, ['4\n']);
  await until(() => output.pieces.length === 2, 'the report is written');
  expect([output.pieces, reports, failures]).toEqual([
    ['4\n', '3 lost\n'],
    [[3, 'EPIPE: no']],
    ['EPIPE', 'EPIPE'],
  ]);
});

test('a disk that fills up in the middle of a line gets the rest of it first', async () => {
  const { writer, output } = setUp({ isPipe: false });
  output.behaves = () => 3;
  addAll(writer, ['first\n']);
  output.behaves = () => 'ENOSPC';
  addAll(writer, ['second\n']);
  output.behaves = () => ALL;
  await until(() => text(output.pieces) === 'first\nsecond\n', 'both are written');
});

test('the last words wait for a full pipe, but not for ever, and not twice', () => {
  const { writer, output } = setUp({ behaves: () => 'EAGAIN' });
  addAll(writer, ['1\n', '2\n']);
  const startedAt = performance.now();
  expect(writer.flushSync()).toBe(2);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500);
  const { tries } = output;
  expect(writer.flushSync()).toBe(2);
  expect(output.tries).toBe(tries + 1);
  output.behaves = () => ALL;
});

test('the last words are written as soon as the pipe takes them', () => {
  const { writer, output } = setUp({ behaves: () => 'EAGAIN' });
  addAll(writer, ['1\n']);
  output.behaves = () => (output.tries < 5 ? 'EAGAIN' : ALL);
  expect(writer.flushSync()).toBe(0);
  expect(output.pieces).toEqual(['1\n']);
});

test('any output gets every line once, whole and in order', () => {
  const behaviour = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constant('EAGAIN' as const));
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 2_000 }), { maxLength: 60 }),
      fc.array(behaviour, { maxLength: 60 }),
      fc.boolean(),
      (texts, behaviours, isPipe) => {
        const { writer, output } = setUp({ isPipe, behaves: () => behaviours.pop() ?? ALL });
        const lines = texts.map(line => `${line.replaceAll('\n', ' ')}\n`);
        const expected = lines.filter(line => Buffer.byteLength(line) <= PIPE_BUF).join('');
        addAll(
          writer,
          lines.filter(line => Buffer.byteLength(line) <= PIPE_BUF),
        );
        expect(writer.flushSync()).toBe(0);
        expect(text(output.pieces)).toBe(expected);
        const largest = Math.max(0, ...output.pieces.map(({ length }) => length));
        expect(largest).toBeLessThanOrEqual(isPipe ? PIPE_BUF : Infinity);
      },
    ),
    { numRuns: 200 },
  );
});
