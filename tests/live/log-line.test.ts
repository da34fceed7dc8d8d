/** A line of the JSON log as the live views show it. */
import { linesMissing, logLineOf, parseLogLine } from '../../src/live/log-line.js';

const WRITER = { slot: 1, pid: 4711 };
const shown = (fields: object): object => logLineOf(JSON.stringify(fields), WRITER, 99);

test('it keeps time, level, request id and message', () => {
  const line = { level: 40, time: 5, pid: 4711, env: 'production', requestId: 'r-1', msg: 'Slow' };
  expect(shown(line)).toEqual({ at: 5, ...WRITER, level: 'warn', requestId: 'r-1', text: 'Slow' });
});

test('an error says what its message adds', () => {
  expect(shown({ level: 50, time: 5, err: { message: 'boom' }, msg: 'Cannot save' })).toMatchObject({
    text: 'Cannot save: boom',
  });
  expect(shown({ level: 50, time: 5, err: { message: 'boom' }, msg: 'boom' })).toMatchObject({
    text: 'boom',
  });
  expect(shown({ level: 50, time: 5, err: { message: 'boom' } })).toMatchObject({ text: 'boom' });
});

test.each([
  [10, 'trace'],
  [35, 'info'],
  [60, 'fatal'],
  [100, 'fatal'],
  [5, 'trace'],
  ['INFO', 'info'],
])('level %p is %s', (level, name) => {
  expect(shown({ level, time: 5, msg: '' })).toMatchObject({ level: name });
});

test('what is no JSON is shown as it is, and now', () => {
  const line = { at: 99, ...WRITER, level: 'info', requestId: null, text: 'plain words' };
  expect(logLineOf('plain words', WRITER, 99)).toEqual(line);
});

test('a text that is too long is cut', () => {
  expect(logLineOf('x'.repeat(3_000), WRITER, 99).text).toBe(`${'x'.repeat(1_999)}…`);
});

test('the other end reads what was written, and nothing else', () => {
  const line = linesMissing(1, WRITER, 'there are too many to show', 7);
  expect(line.text).toBe('1 log line is missing here: there are too many to show');
  expect(parseLogLine(JSON.stringify(line))).toEqual(line);
  for (const text of ['', '{', '[]', 'null', '{"at":1}', JSON.stringify({ ...line, level: 'loud' })])
    expect(parseLogLine(text)).toBeUndefined();
});
