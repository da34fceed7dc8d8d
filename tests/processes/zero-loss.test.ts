/** Nothing is lost: every promise to clients, kept a few times under a client that forgives nothing. */
import { cleanUp } from '../support/processes.js';
import { keep, NATIVE, PM2, type Kept } from '../support/promises.js';

jest.setTimeout(120_000);
afterEach(cleanUp);

/** Every request is answered, but those that a fallen worker held, or that came when the service had stopped. */
function expectNothingLost({ sent, answered, held, late, unexcused }: Kept): void {
  expect(unexcused).toEqual([]);
  expect(answered + held + late).toBe(sent);
  expect(sent).toBeGreaterThan(100);
}

/** Clients are without an answer for no longer than it takes until all workers serve again. */
function expectNoLongerSilence({ longestGapMs, longestActionMs }: Kept): void {
  expect(longestGapMs).toBeLessThan(longestActionMs + 500);
}

describe('native', () => {
  test.each(NATIVE)('$name', async promise => {
    const kept = await keep(promise, promise.times[0]);
    expectNothingLost(kept);
    expectNoLongerSilence(kept);
  });
});

describe('PM2', () => {
  test.each(PM2)('$name', async promise => expectNothingLost(await keep(promise, promise.times[0])));
});
