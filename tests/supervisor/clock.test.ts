/** The supervisor's clock: it calls back at the requested time, and stops while the machine or the supervisor is suspended. */
import { createClock, type Clock } from '../../src/supervisor/clock.js';

/** Time in which no timer could run: machine or supervisor were suspended. */
let suspendedMs = 0;
let clock: Clock;
const call = jest.fn();

beforeEach(() => {
  jest.useFakeTimers();
  call.mockClear();
  suspendedMs = 0;
  const start = performance.now();
  clock = createClock(() => performance.now() - start + suspendedMs);
});
afterEach(() => jest.useRealTimers());

test.each([1, 999, 1_000, 1_001, 15_000])('it calls after %i ms, once', ms => {
  clock.wakeAt(ms, call);
  jest.advanceTimersByTime(ms - 1);
  expect(call).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
  jest.advanceTimersByTime(60_000);
  expect(call).toHaveBeenCalledTimes(1);
});

test('a new request replaces the old one', () => {
  clock.wakeAt(100, () => expect('the old request').toBe('replaced'));
  clock.wakeAt(200, call);
  jest.advanceTimersByTime(300);
  expect(call).toHaveBeenCalledTimes(1);
});

test('without a request it has no timer', () => {
  clock.wakeAt(5_000, call);
  clock.wakeAt(undefined, call);
  expect(jest.getTimerCount()).toBe(0);
});

test('a request that is due is called soon, but asynchronously', () => {
  clock.wakeAt(0, call);
  expect(call).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
});

test('a suspension of an hour does not count: 2 500 ms remain', () => {
  clock.wakeAt(3_000, call);
  jest.advanceTimersByTime(500);
  suspendedMs = 3_600_000;
  jest.advanceTimersByTime(500);
  expect(clock.now()).toBe(1_000);
  jest.advanceTimersByTime(1_999);
  expect(call).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
});

test('several suspensions add up', () => {
  clock.wakeAt(10_000, call);
  for (let second = 1; second <= 9; second++) {
    suspendedMs += 60_000;
    jest.advanceTimersByTime(1_000);
    expect(clock.now()).toBe(second * 1_000);
  }
  expect(call).not.toHaveBeenCalled();
});

test('a timer that is a little late is no suspension', () => {
  clock.wakeAt(3_000, call);
  suspendedMs = 400;
  jest.advanceTimersByTime(1_000);
  expect(clock.now()).toBe(1_400);
});

test('an event after a suspension, before any timer, has the time of the suspension', () => {
  clock.wakeAt(3_000, call);
  jest.advanceTimersByTime(500);
  suspendedMs = 3_600_000;
  expect(clock.now()).toBeLessThanOrEqual(1_000);
});

test('it never goes back', () => {
  jest.advanceTimersByTime(5_000);
  clock.wakeAt(1_000, call);
  jest.advanceTimersByTime(10);
  expect(call).toHaveBeenCalledTimes(1);
  expect(clock.now()).toBeGreaterThanOrEqual(5_000);
});
