/** Which workers are monitored, which are reported as unresponsive, and that no heartbeat is requested in vain. */
import type { ToWorker } from '../../../src/protocol/messages.js';
import {
  createHeartbeatMonitor,
  type HeartbeatMonitor,
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
    file: '',
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
  monitor = createMonitor(true);
});
afterEach(() => jest.useRealTimers());

const createMonitor = (lends: boolean): HeartbeatMonitor =>
  createHeartbeatMonitor({
    records: createRecords(),
    lends,
    report: event => reports.push(`${event.type} w${event.worker}`),
    send: (id: number, message: ToWorker) => sent.push(`${described(message)} w${id}`),
  });

function described(message: ToWorker): string {
  if (typeof message === 'string') return message;
  return message.type === 'cabe:heartbeat.start' ? message.pace : message.type;
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

/** A monitor of workers that share a socket, and two of them. */
function sharing(): void {
  monitor = createMonitor(false);
  monitor.add(1);
  monitor.add(2);
  beating.set(1, true).set(2, false);
}

describe('a worker alone, and workers that share a socket', () => {
  test('write slow heartbeats, also while they have work', () => {
    monitor.add(1);
    monitor.resume();
    expect(sent).toEqual(['slow w1']);
    sent.length = 0;
    sharing();
    monitor.resume();
    expect(sent).toEqual(['slow w1', 'slow w2']);
  });

  test('are reported when they have been blocked for five seconds, and once they have one again', () => {
    sharing();
    pass(20_000);
    beating.delete(1);
    pass(6_980);
    expect(reports).toEqual([]);
    pass(1_000);
    expect(reports).toEqual(['worker.unresponsive w1']);
    pass(10_000);
    beating.set(1, false);
    pass(1_010);
    expect(reports).toEqual(['worker.unresponsive w1', 'worker.responsive w1']);
  });

  test('are reported however often others come and go', () => {
    sharing();
    beating.delete(1);
    for (let worker = 3; worker < 12; worker++) {
      monitor.add(worker);
      pass(1_000);
      monitor.remove(worker);
    }
    expect(reports).toEqual(['worker.unresponsive w1']);
  });

  test('have their records read no more than once in two seconds, and never once all have gone', () => {
    sharing();
    pass(20_000);
    expect(reads).toBeLessThanOrEqual(10);
    monitor.remove(1);
    monitor.remove(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are not reported after a suspension of the machine', () => {
    sharing();
    pass(100);
    suspend(60_000);
    pass(3_000);
    expect(reports).toEqual([]);
  });
});

test('with a second worker both get a request; workers with heartbeats are not reported', () => {
  two();
  expect(sent).toEqual(['slow w1', 'fast w1', 'fast w2']);
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

test('after a second without work all heartbeats become slow; work makes all of them fast', () => {
  two();
  pass(500);
  sent.length = 0;
  beating.set(1, false);
  pass(1_050);
  expect(sent).toEqual(['slow-until-busy w1', 'slow-until-busy w2']);
  sent.length = 0;
  monitor.resume();
  monitor.resume();
  expect(sent).toEqual(['fast w1', 'fast w2']);
  expect(jest.getTimerCount()).toBe(1);
});

test('a worker that blocks while heartbeats are slow is reported, and again responsive with its next one', () => {
  two();
  beating.set(1, false);
  pass(1_050);
  beating.delete(1);
  pass(7_000);
  expect(reports).toEqual(['worker.unresponsive w1']);
  monitor.resume();
  pass(500);
  expect(reports).toEqual(['worker.unresponsive w1']);
  beating.set(1, false);
  pass(150);
  expect(reports).toEqual(['worker.unresponsive w1', 'worker.responsive w1']);
});

test('the records are read no more often than a worker can become unresponsive, and seldom while heartbeats are slow', () => {
  two();
  pass(1_200);
  expect(reads).toBeLessThanOrEqual(1_200 / 20);
  beating.set(1, false);
  pass(1_050);
  reads = 0;
  pass(9_900);
  expect(reads).toBeLessThanOrEqual(2);
});

test('heartbeats do not become slow while a worker is unresponsive', () => {
  two();
  beating.delete(1);
  beating.set(2, false);
  pass(5_000);
  expect(sent).not.toContain('slow-until-busy w2');
  expect(reports).toEqual(['worker.unresponsive w1']);
});

test('a worker that is added twice has one record, and is monitored once', () => {
  two();
  sent.length = 0;
  monitor.add(1);
  expect(sent).toEqual([]);
  monitor.remove(1);
  expect(sent).toEqual(['cabe:heartbeat.stop w1', 'slow w2']);
});

test('a worker that cannot write any more is not monitored, and not unresponsive either, since it says so', () => {
  two();
  beating.delete(1);
  pass(100);
  expect(monitor.lose(1)).toBe(true);
  expect(monitor.lose(1)).toBe(false);
  pass(10_000);
  expect(reports).toEqual(['worker.unresponsive w1', 'worker.responsive w1']);
});

/** The machine stands still for so long; then the timers that have become due fire. */
function suspend(ms: number): void {
  const { bigint } = process.hrtime;
  const lost = BigInt(ms) * 1_000_000n;
  jest.spyOn(process.hrtime, 'bigint').mockImplementation(() => bigint.call(process.hrtime) + lost);
}

test('after a suspension of the machine no worker is reported', () => {
  two();
  pass(100);
  suspend(10_000);
  jest.advanceTimersByTime(5);
  expect(reports).toEqual([]);
});

test('a removed worker is requested to stop and not reported; the last one left writes slow heartbeats', () => {
  two();
  pass(100);
  sent.length = 0;
  monitor.remove(1);
  monitor.remove(1);
  expect(sent).toEqual(['cabe:heartbeat.stop w1', 'slow w2']);
  monitor.resume();
  expect(sent).toHaveLength(2);
  pass(1_000);
  expect(reports).toEqual([]);
});

test('the last one left stays unresponsive until it has a heartbeat again', () => {
  two();
  beating.delete(2);
  pass(100);
  monitor.remove(1);
  pass(10_000);
  expect(reports).toEqual(['worker.unresponsive w2']);
  beating.set(2, false);
  pass(1_100);
  expect(reports).toEqual(['worker.unresponsive w2', 'worker.responsive w2']);
});

test('a worker that is added while heartbeats run gets its request at once', () => {
  two();
  pass(100);
  sent.length = 0;
  monitor.add(3);
  beating.set(3, false);
  expect(sent).toEqual(['fast w3']);
  pass(100);
  expect(reports).toEqual([]);
});
