/** The supervisor's clock: it calls when something is due, and stands still while the supervisor does. */
import { createClock, type Clock } from '../../src/supervisor/clock.js';

/** Time in which no timer could run: the machine slept, or the supervisor was stopped. */
let slept = 0;
let clock: Clock;
const call = jest.fn();

beforeEach(() => {
  jest.useFakeTimers();
  call.mockClear();
  slept = 0;
  const start = performance.now();
  clock = createClock(() => performance.now() - start + slept);
});
afterEach(() => jest.useRealTimers());

test.each([1, 999, 1_000, 1_001, 15_000])('it calls after %i ms, and once', ms => {
  clock.wakeAt(ms, call);
  jest.advanceTimersByTime(ms - 1);
  expect(call).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
  jest.advanceTimersByTime(60_000);
  expect(call).toHaveBeenCalledTimes(1);
});

test('a new wish takes the place of the old one', () => {
  clock.wakeAt(100, () => expect('the old wish').toBe('forgotten'));
  clock.wakeAt(200, call);
  jest.advanceTimersByTime(300);
  expect(call).toHaveBeenCalledTimes(1);
});

test('with nothing due it never ticks', () => {
  clock.wakeAt(5_000, call);
  clock.wakeAt(undefined, call);
  expect(jest.getTimerCount()).toBe(0);
});

test('what is already due is called at once, but not before the caller is done', () => {
  clock.wakeAt(0, call);
  expect(call).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
});

test('an hour of sleep is no time: what was 2 500 ms away still is', () => {
  clock.wakeAt(3_000, call);
  jest.advanceTimersByTime(500);
  slept = 3_600_000;
  jest.advanceTimersByTime(500);
  expect(clock.now()).toBe(1_000);
  jest.advanceTimersByTime(1_999);
  expect(call).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledTimes(1);
});

test('sleep after sleep adds up', () => {
  clock.wakeAt(10_000, call);
  for (let second = 1; second <= 9; second++) {
    slept += 60_000;
    jest.advanceTimersByTime(1_000);
    expect(clock.now()).toBe(second * 1_000);
  }
  expect(call).not.toHaveBeenCalled();
});

test('a timer that is a little late is just late', () => {
  clock.wakeAt(3_000, call);
  slept = 400;
  jest.advanceTimersByTime(1_000);
  expect(clock.now()).toBe(1_400);
});

test('whoever is heard after a sleep, before any timer, is heard at the time of falling asleep', () => {
  clock.wakeAt(3_000, call);
  jest.advanceTimersByTime(500);
  slept = 3_600_000;
  expect(clock.now()).toBeLessThanOrEqual(1_000);
});

test('it never goes back', () => {
  jest.advanceTimersByTime(5_000);
  clock.wakeAt(1_000, call);
  jest.advanceTimersByTime(10);
  expect(call).toHaveBeenCalledTimes(1);
  expect(clock.now()).toBeGreaterThanOrEqual(5_000);
});
