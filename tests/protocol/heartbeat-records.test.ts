/** The file in which workers show their pulse: written and read across processes, and gone with the last of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createPulseBoard, monotonicMs, writeBeat } from '../../src/protocol/heartbeat-records.js';

const BOARD = resolve(__dirname, '../../dist/protocol/heartbeat-records.js');

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'board-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('what one process writes another reads, on the same clock', async () => {
  const board = createPulseBoard([folder]);
  const first = board.reserve() ?? NaN;
  const second = board.reserve() ?? NaN;
  const script = `const { monotonicMs, writeBeat } = require(${JSON.stringify(BOARD)});
    writeBeat(${second}, { beatAt: monotonicMs(), busyAt: 7 });`;
  const before = monotonicMs();
  const writer = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ignore', board.fd],
  });
  expect(await once(writer, 'exit')).toEqual([0, null]);
  board.refresh();
  expect(board.beatAt(first)).toBe(0);
  expect(board.beatAt(second)).toBeGreaterThan(before);
  expect(board.beatAt(second)).toBeLessThan(monotonicMs());
  expect(board.busyAt(second)).toBe(7);
});

test('a record that is given away again is blank', () => {
  const board = createPulseBoard([folder]);
  const [first, second] = [board.reserve() ?? NaN, board.reserve() ?? NaN];
  writeBeat(first, { beatAt: 1, busyAt: 2 }, board.fd);
  writeBeat(second, { beatAt: 3, busyAt: 4 }, board.fd);
  board.release(first);
  expect(board.reserve()).toBe(first);
  board.refresh();
  expect([board.beatAt(first), board.busyAt(first)]).toEqual([0, 0]);
  expect([board.beatAt(second), board.busyAt(second)]).toEqual([3, 4]);
});

test('has no name, so nothing is left of it whatever happens', () => {
  createPulseBoard([folder]);
  expect(readdirSync(folder)).toEqual([]);
});

test('is made in the first folder that takes it, and says why none does', () => {
  const none = join(folder, 'none');
  expect(createPulseBoard([none, folder]).reserve()).toBe(0);
  expect(() => createPulseBoard([none])).toThrow(/ENOENT.*none/);
});

test('has room for more workers than a machine can run, and not for any number', () => {
  const board = createPulseBoard([folder]);
  for (let record = 0; record < 4_096; record++) expect(board.reserve()).toBe(record);
  expect(board.reserve()).toBeUndefined();
});
