/** The file of the workers' heartbeats: written and read across processes, and gone with the last of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createHeartbeatRecords, monotonicMs, writeHeartbeat } from '../../src/protocol/heartbeat-records.js';

const MODULE = resolve(__dirname, '../../dist/protocol/heartbeat-records.js');

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'heartbeats-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('what one process writes another reads, on the same clock', async () => {
  const records = createHeartbeatRecords([folder]);
  const first = records.reserve() ?? NaN;
  const second = records.reserve() ?? NaN;
  const script = `const { monotonicMs, writeHeartbeat } = require(${JSON.stringify(MODULE)});
    const target = { record: ${second}, file: ${JSON.stringify(records.file)} };
    writeHeartbeat(target, { beatAt: monotonicMs(), busyAt: 7 });`;
  const before = monotonicMs();
  const writer = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ignore', records.fd],
  });
  expect(await once(writer, 'exit')).toEqual([0, null]);
  records.refresh();
  expect(records.of(first).beatAt).toBe(0);
  expect(records.of(second).beatAt).toBeGreaterThan(before);
  expect(records.of(second).beatAt).toBeLessThan(monotonicMs());
  expect(records.of(second).busyAt).toBe(7);
});

test('a record that is reserved again is blank', () => {
  const records = createHeartbeatRecords([folder]);
  const [first, second] = [records.reserve() ?? NaN, records.reserve() ?? NaN];
  const { file, fd } = records;
  expect(writeHeartbeat({ record: first, file }, { beatAt: 1, busyAt: 2 }, fd)).toBe(true);
  expect(writeHeartbeat({ record: second, file }, { beatAt: 3, busyAt: 4 }, fd)).toBe(true);
  records.release(first);
  expect(records.reserve()).toBe(first);
  records.refresh();
  expect(records.of(first)).toEqual({ beatAt: 0, busyAt: 0 });
  expect(records.of(second)).toEqual({ beatAt: 3, busyAt: 4 });
});

test('another file under the same descriptor is not written to, and a closed descriptor throws nothing', () => {
  const { file } = createHeartbeatRecords([folder]);
  const own = join(folder, 'own');
  writeFileSync(own, 'data of the app');
  const fd = openSync(own, 'r+');
  expect(writeHeartbeat({ record: 0, file }, { beatAt: 1, busyAt: 2 }, fd)).toBe(false);
  closeSync(fd);
  expect(writeHeartbeat({ record: 0, file }, { beatAt: 1, busyAt: 2 }, fd)).toBe(false);
  expect(readFileSync(own, 'utf8')).toBe('data of the app');
});

test('what no worker can have written in truth counts as never written', () => {
  const { file, fd, ...records } = createHeartbeatRecords([folder]);
  const record = records.reserve() ?? NaN;
  for (const beatAt of [NaN, Infinity, monotonicMs() + 60_000]) {
    writeHeartbeat({ record, file }, { beatAt, busyAt: beatAt }, fd);
    records.refresh();
    expect(records.of(record)).toEqual({ beatAt: 0, busyAt: 0 });
  }
});

test('has no name, so that nothing remains of it', () => {
  createHeartbeatRecords([folder]);
  expect(readdirSync(folder)).toEqual([]);
});

test('is created in the first folder where that is possible; the error names each failure', () => {
  const none = join(folder, 'none');
  expect(createHeartbeatRecords([none, folder]).reserve()).toBe(0);
  expect(() => createHeartbeatRecords([none])).toThrow(/ENOENT.*none/);
});

test('has room for 4096 workers, and no more', () => {
  const records = createHeartbeatRecords([folder]);
  for (let record = 0; record < 4_096; record++) expect(records.reserve()).toBe(record);
  expect(records.reserve()).toBeUndefined();
});
