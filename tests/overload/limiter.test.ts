import fc from 'fast-check';
import {
  BUSY,
  isOverloaded,
  MIN_LIMIT,
  nextLimit,
  NO_LIMIT,
  SPARE,
  TARGET_DELAY_MS,
  type LoadWindow,
} from '../../src/overload/limiter.js';

const limits = fc.integer({ min: MIN_LIMIT, max: NO_LIMIT });
const windows: fc.Arbitrary<LoadWindow> = fc.record({
  utilization: fc.double({ min: 0, max: 1, noNaN: true }),
  delayP99Ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
  peak: fc.integer({ min: 0, max: NO_LIMIT }),
});

describe('the limit', () => {
  test('is a whole number within its bounds, for any measurement', () => {
    fc.assert(
      fc.property(limits, windows, (limit, window) => {
        const next = nextLimit(limit, window);
        expect(Number.isInteger(next)).toBe(true);
        expect(next).toBeGreaterThanOrEqual(MIN_LIMIT);
        expect(next).toBeLessThanOrEqual(NO_LIMIT);
      }),
    );
  });

  test('falls in overload only, and then below what was in flight', () => {
    fc.assert(
      fc.property(limits, windows, (limit, window) => {
        const next = nextLimit(limit, window);
        if (!isOverloaded(window)) return next > limit || next === NO_LIMIT;
        return next === MIN_LIMIT || (next < limit && next < window.peak);
      }),
    );
  });

  test('needs a busy loop and a delay to fall: one slow request, or a slow database, is no overload', () => {
    const overload = { utilization: 1, delayP99Ms: TARGET_DELAY_MS + 1, peak: 100 };
    expect(nextLimit(NO_LIMIT, overload)).toBe(70);
    expect(nextLimit(NO_LIMIT, { ...overload, utilization: BUSY - 0.01 })).toBe(NO_LIMIT);
    expect(nextLimit(NO_LIMIT, { ...overload, delayP99Ms: TARGET_DELAY_MS })).toBe(NO_LIMIT);
  });

  test('grows by one while the loop is busy, and doubles while it is not', () => {
    const calm = { utilization: BUSY, delayP99Ms: 0, peak: 0 };
    expect(nextLimit(40, calm)).toBe(41);
    expect(nextLimit(40, { ...calm, utilization: SPARE - 0.01 })).toBe(80);
  });

  test('is gone within five seconds of windows after the end of an overload', () => {
    let limit = MIN_LIMIT;
    for (let window = 0; window < 20; window++)
      limit = nextLimit(limit, { utilization: 0.1, delayP99Ms: 0, peak: 0 });
    expect(limit).toBe(NO_LIMIT);
  });
});

/** A loop that handles one request after another, each in `serviceMs`; arrivals are random (Poisson). */
function simulate(load: number, serviceMs: number, seconds: number, seed: number) {
  const random = seeded(seed);
  const windowMs = 250;
  const waiting: number[] = [];
  const waits: number[] = [];
  let [limit, now, busyMs, peak, shed, arrival] = [NO_LIMIT, 0, 0, 0, 0, 0];
  let delays: number[] = [];
  for (let windowAt = 0; now < seconds * 1_000;) {
    while (arrival <= now) {
      if (waiting.length < limit) waiting.push(arrival);
      else shed++;
      peak = Math.max(peak, waiting.length);
      arrival += (-Math.log(1 - random()) * serviceMs) / load;
    }
    const next = waiting.shift();
    if (next === undefined) now = arrival;
    else {
      delays.push(now - next);
      waits.push(now - next);
      busyMs += serviceMs;
      now += serviceMs;
    }
    if (now - windowAt < windowMs) continue;
    const delayP99Ms = delays.toSorted((one, other) => one - other)[Math.floor(delays.length * 0.99)] ?? 0;
    limit = nextLimit(limit, { utilization: busyMs / (now - windowAt), delayP99Ms, peak });
    [windowAt, delays, busyMs, peak] = [now, [], 0, waiting.length];
  }
  return { shed, waits, limit, goodput: (waits.length * serviceMs) / now };
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('in a simulated worker', () => {
  test.each([2, 5, 20])('at %i times its capacity it stays busy, and waits stay short', load => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(1, 5, 20), (seed, serviceMs) => {
        const { goodput, waits } = simulate(load, serviceMs, 60, seed);
        const settled = waits.slice(Math.floor(waits.length / 3)).toSorted((one, other) => one - other);
        expect(goodput).toBeGreaterThan(0.95);
        expect(settled[Math.floor(settled.length * 0.99)]).toBeLessThan(TARGET_DELAY_MS * 1.5);
      }),
      { numRuns: 5 },
    );
  });

  test('at 0.8 times its capacity it refuses nothing in ten minutes', () => {
    fc.assert(
      fc.property(fc.integer(), seed => {
        expect(simulate(0.8, 10, 600, seed).shed).toBe(0);
      }),
      { numRuns: 5 },
    );
  });
});
