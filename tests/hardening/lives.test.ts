/** Many lives are lived by several processes, and a broken one is reported with its seed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder } from '../support/processes.js';
import { liveMany } from './lives.js';

afterEach(cleanUp);

/** A process that answers each batch by this expression. */
function program(result: string): string {
  const path = join(folder(), 'lives.js');
  writeFileSync(path, `process.on('message', ({ first, lives }) => process.send(${result}));`);
  return path;
}

const say = (): void => undefined;

test('every seed is lived once, and the results are added up', async () => {
  const seeds = 'Array.from({ length: lives }, (_, n) => [`event ${first + n}`, 1])';
  const lived = await liveMany({
    lives: 5_432,
    seed: 7,
    say,
    program: program(`{ lived: lives, lastedMs: 2 * lives, tally: ${seeds} }`),
  });
  expect(lived).toMatchObject({ lives: 5_432, lastedMs: 10_864 });
  expect(lived.tally.size).toBe(5_432);
  expect([...lived.tally.values()].every(times => times === 1)).toBe(true);
});

test('a broken life ends the run with its transcript, invariant and seed', async () => {
  const broken = `{ brokenSeed: 42, invariant: 'seed 42: no process is left', transcript: ['0 fork w1'] }`;
  await expect(liveMany({ lives: 3_000, seed: 1, say, program: program(broken) })).rejects.toThrow(
    /^0 fork w1\n✗ seed 42: no process is left\n {2}Repeat it: yarn hardening lives --lives 1 --seed 42$/,
  );
});

test('a process that ends is an error', async () => {
  await expect(liveMany({ lives: 3_000, seed: 1, say, program: program('process.exit(9)') })).rejects.toThrow(
    /^the process ended \(9\) in the lives from seed \d+$/,
  );
});
