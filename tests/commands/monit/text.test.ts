import { pieces, sparkline } from '../../../src/commands/monit/sparkline.js';
import { cut, padEnd, safe, shortDuration, widthOf, wrapped } from '../../../src/commands/monit/text.js';

test.each([
  ['\u001b[2J\u001b]0;owned\u0007', String.raw`\x1b[2J\x1b]0;owned\x07`],
  ['\u009b31m', String.raw`\x9b31m`],
  ['admin\u202etxt.exe', String.raw`admin\u{202e}txt.exe`],
  ['a\u200db\ufeff', String.raw`a\u{200d}b\u{feff}`],
  ['two\r\n\tlines', 'two lines'],
  ['\ud800', String.raw`\u{d800}`],
  ['grüße, 世界 👋', 'grüße, 世界 👋'],
])('%j is safe as %j', (text, shown) => expect(safe(text)).toBe(shown));

test.each([
  ['abc', 3],
  ['世界', 4],
  ['👋', 2],
  ['e\u0301', 1],
  ['Ａ', 2],
])('%s takes %d columns', (text, width) => expect(widthOf(text)).toBe(width));

test('a text is cut to columns, never within a wide character', () => {
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('abcd', 4)).toBe('abcd');
  expect(cut('世界世界', 4)).toBe('世…');
  expect(cut('世界世界', 5)).toBe('世界…');
  expect(cut('abc', 0)).toBe('');
  expect(padEnd('世', 4)).toBe('世  ');
});

test('a text is wrapped between words, and ends where there are no more lines', () => {
  expect(wrapped('one two three four five', 9, 2)).toEqual(['one two', 'three fo…']);
  expect(wrapped('one', 9, 2)).toEqual(['one']);
  expect(wrapped('incomprehensibilities', 9, 2)).toEqual(['incompre…']);
});

test.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m00s'],
  [3_720_000, '1h02m'],
  [90_000_000, '1d01h'],
])('%d ms are %s', (ms, text) => expect(shortDuration(ms)).toBe(text));

test('a sparkline shows the highest figure of each piece, the newest on the right, and nothing for the unknown', () => {
  const now = 1_200_000;
  const found = pieces(
    [
      [now - 60_000, 5],
      [now - 59_000, 9],
      [now - 1_000, null],
      [now, 1],
    ],
    now,
    4,
  );
  expect(found).toEqual([null, 9, null, 1]);
  expect(sparkline([null, 0, 1, 50, 100, 200], 100)).toBe(' ▁▂▅██');
  expect(sparkline([0, 0], 0)).toBe('▁▁');
});

test('a piece keeps its bar while it moves to the left', () => {
  const samples = Array.from({ length: 60 }, (_, second) => [second * 1_000, second] as const);
  const [early, late] = [pieces(samples, 59_000, 40), pieces(samples, 65_000, 40)];
  expect(late.slice(18, 37)).toEqual(early.slice(20, 39));
});
