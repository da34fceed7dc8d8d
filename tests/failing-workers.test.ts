/** The longest wait of a connection is measured from both ends: the client's opening, and the worker's acceptance. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder } from './support/processes.js';
import { FailingWorkers } from './support/failing-workers.js';

afterEach(cleanUp);

test('the longest wait is the longest time between opening and acceptance', () => {
  const at = folder();
  const accepted = (pid: number, all: readonly (readonly [port: number, at: number])[]): void =>
    writeFileSync(join(at, `record-${pid}`), JSON.stringify({ pid, at: 900, held: [], accepted: all }));
  accepted(1, [
    [5_001, 103],
    [5_002, 140],
  ]);
  accepted(2, [
    [5_001, 512],
    [5_003, 90],
  ]);
  const longest = (...opened: readonly (readonly [port: number, at: number])[]): number =>
    new FailingWorkers(at).longestWaitMs(opened.map(([port, time]) => ({ port, at: time })));
  expect(longest([5_001, 100], [5_002, 110])).toBe(30);
  expect(longest([5_001, 500], [5_001, 100])).toBe(12); // a reused port
  expect(longest([5_001, 200], [5_001, 510])).toBe(2); // the first connection was never accepted
  expect(longest([5_003, 100], [5_004, 100])).toBe(0);
});
