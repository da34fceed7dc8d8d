/** Which workers are monitored, which are reported as unresponsive, and that no heartbeat is requested in vain. */
import type { ToWorker } from '../../../src/protocol/messages.js';
import {
  createHeartbeatMonitor,
  type HeartbeatMonitor,
  type HeartbeatReport,
} from '../../../src/supervisor/processes/heartbeats.js';
import { monotonicMs, HEARTBEAT_MS, type HeartbeatRecords } from '../../../src/protocol/heartbeat-records.js';

let monitor: HeartbeatMonitor;
let reports: string[];
let sent: string[];
/** Workers whose event loops turn, and whether they have work. */
const beating = new Map<number, boolean>();
/** What they have written; the record of a worker is its number. */
const written = new Map<number, { beatAt: number; busyAt: number }>();
let reads: number;

/** The record of a worker is the number under which it was added: 1, 2, 3 … */
function createRecords(): HeartbeatRecords {
  let last = 0;
  return {
    fd: -1,
    reserve: () => ++last,
    release: record => void written.delete(record),
    refresh: () => void reads++,
    of: record => written.get(record) ?? { beatAt: 0, busyAt: 0 },
  };
}

beforeEach(() => {
  jest.useFakeTimers();
  beating.clear();
  written.clear();
  reads = 0;
  reports = [];
  sent = [];
  monitor = createHeartbeatMonitor({
    records: createRecords(),
    report: ({ type, worker }: HeartbeatReport) => reports.push(`${type} w${worker}`),
    send: (id: number, message: ToWorker) => sent.push(`${described(message)} w${id}`),
  });
});
afterEach(() => jest.useRealTimers());

function described(message: ToWorker): string {
  if (typeof message === 'string') return message;
  return message.type === 'cabe:heartbeat.stop' ? `${message.type} until ${message.until}` : message.type;
}

function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += HEARTBEAT_MS) {
    for (const [id, busy] of beating) beat(id, busy);
    jest.advanceTimersByTime(HEARTBEAT_MS);
  }
}

function beat(id: number, busy: boolean): void {
  const beatAt = monotonicMs();
  written.set(id, { beatAt, busyAt: busy ? beatAt : (written.get(id)?.busyAt ?? 0) });
}

function two(): void {
  monitor.add(1);
  monitor.add(2);
  beating.set(1, true).set(2, false);
}

test('a single worker gets no request', () => {
  monitor.add(1);
  monitor.resume();
  expect(sent).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

test('with a second worker both get a request; workers with heartbeats are not reported', () => {
  two();
  expect(sent).toEqual(['cabe:heartbeat.start w1', 'cabe:heartbeat.start w2']);
  pass(5_000);
  expect(reports).toEqual([]);
});

test('a worker is unresponsive 30 ms after its last heartbeat, and reported once', () => {
  two();
  pass(500);
  beating.delete(1);
  beating.set(2, true);
  pass(10);
  jest.advanceTimersByTime(9);
  expect(reports).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(reports).toEqual(['worker.unresponsive w1']);
  pass(1_000);
  expect(reports).toEqual(['worker.unresponsive w1']);
});

test('a worker is responsive again only after 100 ms with heartbeats', () => {
  two();
  beating.delete(2);
  pass(100);
  beating.set(2, false);
  pass(60);
  expect(reports).toEqual(['worker.unresponsive w2']);
  pass(90);
  expect(reports).toEqual(['worker.unresponsive w2', 'worker.responsive w2']);
});

test('a worker whose heartbeats flicker stays unresponsive', () => {
  two();
  for (let turn = 0; turn < 5; turn++) {
    beating.delete(2);
    pass(100);
    beating.set(2, false);
    pass(75);
  }
  expect(reports).toEqual(['worker.unresponsive w2']);
});

test('after a second without work all heartbeats stop, and no timer runs; work starts all of them', () => {
  two();
  pass(500);
  sent.length = 0;
  beating.set(1, false);
  pass(1_050);
  expect(sent).toEqual(['cabe:heartbeat.stop until busy w1', 'cabe:heartbeat.stop until busy w2']);
  expect(jest.getTimerCount()).toBe(0);
  sent.length = 0;
  monitor.resume();
  expect(sent).toEqual(['cabe:heartbeat.start w1', 'cabe:heartbeat.start w2']);
  expect(jest.getTimerCount()).toBe(1);
});

test('the records are read no more often than a worker can become unresponsive, and never while heartbeats are stopped', () => {
  two();
  pass(1_200);
  expect(reads).toBeLessThanOrEqual(1_200 / 20);
  beating.set(1, false);
  pass(1_050);
  reads = 0;
  pass(500);
  expect(reads).toBe(0);
});

test('heartbeats do not stop while a worker is unresponsive', () => {
  two();
  beating.delete(1);
  beating.set(2, false);
  pass(5_000);
  expect(sent).not.toContain('cabe:heartbeat.stop until busy w2');
  expect(reports).toEqual(['worker.unresponsive w1']);
});

test('a worker that is added twice has one record, and is monitored once', () => {
  two();
  sent.length = 0;
  monitor.add(1);
  expect(sent).toEqual([]);
  monitor.remove(1);
  expect(sent).toEqual(['cabe:heartbeat.stop until requested w1', 'cabe:heartbeat.stop until requested w2']);
});

test('after a suspension of the machine no worker is reported', () => {
  two();
  pass(100);
  jest.setSystemTime(jest.now() + 10_000);
  jest.spyOn(process.hrtime, 'bigint').mockReturnValue(process.hrtime.bigint() + 10_000_000_000n);
  jest.advanceTimersByTime(5);
  expect(reports).toEqual([]);
});

test('a removed worker is told to stop and not reported; the last one left as well', () => {
  two();
  pass(100);
  sent.length = 0;
  monitor.remove(1);
  monitor.remove(1);
  expect(sent).toEqual(['cabe:heartbeat.stop until requested w1', 'cabe:heartbeat.stop until requested w2']);
  expect(jest.getTimerCount()).toBe(0);
  monitor.resume();
  expect(jest.getTimerCount()).toBe(0);
  pass(1_000);
  expect(reports).toEqual([]);
});

test('the last one left is told to stop also where heartbeats had stopped', () => {
  two();
  beating.set(1, false);
  pass(1_050);
  sent.length = 0;
  monitor.remove(1);
  expect(sent).toEqual(['cabe:heartbeat.stop until requested w1', 'cabe:heartbeat.stop until requested w2']);
});

test('the last one left counts as responsive', () => {
  two();
  beating.delete(2);
  pass(100);
  expect(reports).toEqual(['worker.unresponsive w2']);
  monitor.remove(1);
  expect(reports).toEqual(['worker.unresponsive w2', 'worker.responsive w2']);
  pass(1_000);
  expect(reports).toHaveLength(2);
});

test('a worker that is added while heartbeats run gets its request at once', () => {
  two();
  pass(100);
  sent.length = 0;
  monitor.add(3);
  beating.set(3, false);
  expect(sent).toEqual(['cabe:heartbeat.start w3']);
  pass(100);
  expect(reports).toEqual([]);
});
