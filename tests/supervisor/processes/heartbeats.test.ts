/** Whose pulse is felt, whose is missed, and that nobody is asked for it without a reason. */
import type { ToWorker } from '../../../src/protocol/messages.js';
import {
  createPulseMonitor,
  type PulseMonitor,
  type PulseReport,
} from '../../../src/supervisor/processes/heartbeats.js';
import { monotonicMs, PULSE_MS, type PulseBoard } from '../../../src/protocol/heartbeat-records.js';

let monitor: PulseMonitor;
let reports: string[];
let told: string[];
/** Workers whose loops turn, and whether they have anything to do. */
const beating = new Map<number, boolean>();
/** What they have written; the record of a worker is its number. */
const written = new Map<number, { beatAt: number; busyAt: number }>();
let looks: number;

/** A board whose records are those of the workers as they are watched: 1, 2, 3 … */
function createBoard(): PulseBoard {
  let last = 0;
  return {
    fd: -1,
    reserve: () => ++last,
    release: record => void written.delete(record),
    refresh: () => void looks++,
    beatAt: record => written.get(record)?.beatAt ?? 0,
    busyAt: record => written.get(record)?.busyAt ?? 0,
  };
}

beforeEach(() => {
  jest.useFakeTimers();
  beating.clear();
  written.clear();
  looks = 0;
  reports = [];
  told = [];
  monitor = createPulseMonitor({
    board: createBoard(),
    report: ({ type, worker }: PulseReport) => reports.push(`${type} w${worker}`),
    tell: (id: number, message: ToWorker) => told.push(`${described(message)} w${id}`),
  });
});
afterEach(() => jest.useRealTimers());

function described(message: ToWorker): string {
  if (typeof message === 'string') return message;
  return message.type === 'pulse.enough' ? `${message.type} until ${message.until}` : message.type;
}

function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += PULSE_MS) {
    for (const [id, busy] of beating) beat(id, busy);
    jest.advanceTimersByTime(PULSE_MS);
  }
}

function beat(id: number, busy: boolean): void {
  const beatAt = monotonicMs();
  written.set(id, { beatAt, busyAt: busy ? beatAt : (written.get(id)?.busyAt ?? 0) });
}

function two(): void {
  monitor.watch(1);
  monitor.watch(2);
  beating.set(1, true).set(2, false);
}

test('one worker alone is never asked', () => {
  monitor.watch(1);
  monitor.roused();
  expect(told).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a second one makes both be asked, and workers that beat are no news', () => {
  two();
  expect(told).toEqual(['pulse.wanted w1', 'pulse.wanted w2']);
  pass(5_000);
  expect(reports).toEqual([]);
});

test('who misses its beats is told 30 ms after the last one, and once', () => {
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

test('who beats again is heard only after it has done so for a while', () => {
  two();
  beating.delete(2);
  pass(100);
  beating.set(2, false);
  pass(60);
  expect(reports).toEqual(['worker.unresponsive w2']);
  pass(90);
  expect(reports).toEqual(['worker.unresponsive w2', 'worker.responsive w2']);
});

test('who comes and goes stays silent', () => {
  two();
  for (let turn = 0; turn < 5; turn++) {
    beating.delete(2);
    pass(100);
    beating.set(2, false);
    pass(75);
  }
  expect(reports).toEqual(['worker.unresponsive w2']);
});

test('after a second without work all may rest, and nothing ticks; work wakes all of them', () => {
  two();
  pass(500);
  told.length = 0;
  beating.set(1, false);
  pass(1_050);
  expect(told).toEqual(['pulse.enough until busy w1', 'pulse.enough until busy w2']);
  expect(jest.getTimerCount()).toBe(0);
  told.length = 0;
  monitor.roused();
  expect(told).toEqual(['pulse.wanted w1', 'pulse.wanted w2']);
  expect(jest.getTimerCount()).toBe(1);
});

test('while all rest nobody looks; while somebody works one look does for all, whenever one could be silent', () => {
  two();
  pass(1_200);
  expect(looks).toBeLessThanOrEqual(1_200 / 20);
  beating.set(1, false);
  pass(1_050);
  looks = 0;
  pass(500);
  expect(looks).toBe(0);
});

test('nobody rests while one is silent', () => {
  two();
  beating.delete(1);
  beating.set(2, false);
  pass(5_000);
  expect(told).not.toContain('pulse.enough until busy w2');
  expect(reports).toEqual(['worker.unresponsive w1']);
});

test('a machine that was suspended blames nobody', () => {
  two();
  pass(100);
  jest.setSystemTime(jest.now() + 10_000);
  jest.spyOn(process.hrtime, 'bigint').mockReturnValue(process.hrtime.bigint() + 10_000_000_000n);
  jest.advanceTimersByTime(5);
  expect(reports).toEqual([]);
});

test('who is gone is told to rest and not reported; the last one is left in peace', () => {
  two();
  pass(100);
  told.length = 0;
  monitor.forget(1);
  monitor.forget(1);
  expect(told).toEqual(['pulse.enough until asked w1', 'pulse.enough until asked w2']);
  expect(jest.getTimerCount()).toBe(0);
  monitor.roused();
  expect(jest.getTimerCount()).toBe(0);
  pass(1_000);
  expect(reports).toEqual([]);
});

test('the last one left is left in peace also where all were at rest', () => {
  two();
  beating.set(1, false);
  pass(1_050);
  told.length = 0;
  monitor.forget(1);
  expect(told).toEqual(['pulse.enough until asked w1', 'pulse.enough until asked w2']);
});

test('the last one left counts as heard, whatever was missed of it', () => {
  two();
  beating.delete(2);
  pass(100);
  expect(reports).toEqual(['worker.unresponsive w2']);
  monitor.forget(1);
  expect(reports).toEqual(['worker.unresponsive w2', 'worker.responsive w2']);
  pass(1_000);
  expect(reports).toHaveLength(2);
});

test('one more while all are at it is asked at once', () => {
  two();
  pass(100);
  told.length = 0;
  monitor.watch(3);
  beating.set(3, false);
  expect(told).toEqual(['pulse.wanted w3']);
  pass(100);
  expect(reports).toEqual([]);
});
