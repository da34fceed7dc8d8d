/** Log lines are copied in batches for those who follow the log, and for no one else. */
import { copied, copyLogLines, type LogBatch } from '../../src/platform/log-copy.js';

const line = (level: number, text = ''): string => `{"level":${level},"msg":"${text}"}\n`;

let written: string[] = [];
let batches: LogBatch[] = [];
const write = (text: string): void => void written.push(text);
const output = copied({ write, writeSoon: write });

beforeEach(() => {
  jest.useFakeTimers();
  [written, batches] = [[], []];
});
afterEach(() => {
  copyLogLines(undefined);
  jest.useRealTimers();
});

const followed = (): void => copyLogLines(batch => void batches.push(batch));

test('without a follower lines are written, and no timer is set', () => {
  output.write(line(30));
  output.writeSoon(line(60));
  expect(written).toEqual([line(30), line(60)]);
  expect(jest.getTimerCount()).toBe(0);
});

test('lines of a tenth of a second come together, and are written as before', () => {
  followed();
  output.write(line(30, 'one'));
  output.writeSoon(line(30, 'two'));
  expect(batches).toEqual([]);
  jest.advanceTimersByTime(100);
  expect(batches).toEqual([{ lines: line(30, 'one') + line(30, 'two'), dropped: 0 }]);
  expect(written).toEqual([line(30, 'one'), line(30, 'two')]);
  expect(jest.getTimerCount()).toBe(0);
});

test('the last words of a process wait for nothing', () => {
  followed();
  output.write(line(30));
  output.write(line(60));
  expect(batches).toEqual([{ lines: line(30) + line(60), dropped: 0 }]);
});

test('what finds no room is counted; warnings find room longer', () => {
  followed();
  const long = 'x'.repeat(1_000);
  for (let index = 0; index < 60; index++) output.write(line(30, long));
  output.write(line(40, 'still there'));
  jest.advanceTimersByTime(100);
  const [batch] = batches;
  const kept = (batch?.lines ?? '').split('\n').length - 2;
  expect(batch?.lines.length).toBeLessThan(64 * 1024);
  expect(batch?.lines).toContain('still there');
  expect(kept).toBeGreaterThan(40);
  expect(batch?.dropped).toBe(60 - kept);
});

test('who leaves gets nothing more', () => {
  followed();
  output.write(line(30));
  copyLogLines(undefined);
  expect(batches).toHaveLength(1);
  output.write(line(60));
  expect(batches).toHaveLength(1);
});
