/** The live page gets the lines of all workers in batches. */
import { createLogBatches } from '../../src/live/log-batches.js';
import type { LogLine } from '../../src/live/messages.js';
import { logLine } from '../support/live-page-messages.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('lines come together, and a notice names a worker whose lines are missing', () => {
  const sent: (readonly LogLine[])[] = [];
  const batches = createLogBatches(lines => sent.push(lines));
  for (let at = 0; at < 1_000; at++) batches.add(logLine(at));
  for (let at = 0; at < 3; at++) batches.add(logLine(at, { slot: 1, pid: 4101 }));
  expect(sent).toEqual([]);
  jest.runAllTimers();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toHaveLength(1_001);
  expect(sent[0]?.at(-1)).toMatchObject({
    slot: 1,
    pid: 4101,
    text: '3 log lines are missing here: there are too many to show',
  });
  batches.add(logLine(5_000));
  jest.runAllTimers();
  expect(sent[1]).toEqual([logLine(5_000)]);
});
