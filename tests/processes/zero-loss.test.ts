/** No request is lost: each guarantee to clients, checked a few times under a client that retries nothing. */
import { check, NATIVE, PM2, type Measurement } from '../support/guarantees.js';
import { cleanUp } from '../support/processes.js';

jest.setTimeout(120_000);
afterEach(cleanUp);

/** Every request is answered, except those that a failed worker held and those that came after the stop. */
function expectNothingLost({ sent, answered, held, late, unexcused }: Measurement): void {
  expect(unexcused).toEqual([]);
  expect(answered + held + late).toBe(sent);
  expect(sent).toBeGreaterThan(100);
}

/** Clients wait no longer than until all workers serve again. */
function expectShortGaps({ longestGapMs, longestEventMs }: Measurement): void {
  expect(longestGapMs).toBeLessThan(longestEventMs + 500);
}

describe('native', () => {
  test.each(NATIVE)('$name', async guarantee => {
    const measurement = await check(guarantee, guarantee.times[0]);
    expectNothingLost(measurement);
    expectShortGaps(measurement);
  });
});

describe('PM2', () => {
  test.each(PM2)('$name', async guarantee => expectNothingLost(await check(guarantee, guarantee.times[0])));
});
