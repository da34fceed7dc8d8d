/** A short run of `yarn hardening fuzz`. A finding is printed with its seed and number: `--only` repeats it. */
import { cleanUp } from '../support/processes.js';
import { fuzzChannel } from './fuzz/channel.js';
import { fuzzHttp, shown } from './fuzz/http.js';
import { fuzzCheck, fuzzReader, fuzzReload } from './fuzz/reader.js';
import { requestOf } from './fuzz/requests.js';
import { fuzzSockets } from './fuzz/sockets.js';

jest.setTimeout(120_000);
afterEach(cleanUp);

const SEED = 20_261_126;

test('random requests are answered alike with and without EXPRESS_TUNING, and harm no worker', async () => {
  const { findings, tally } = await fuzzHttp({ seed: SEED, requests: 5_000, say: () => undefined });
  expect(
    findings.map(({ number, what }) => (number === undefined ? what : `${what}\n${shown(SEED, number)}`)),
  ).toEqual([]);
  // The run has been where it was meant to go.
  for (const what of [
    '200',
    '204',
    '400',
    '404',
    '405',
    '413',
    '415',
    '417',
    '431',
    'closed',
    'waiting',
    'left',
  ])
    expect([...tally.keys()]).toContain(what);
});

test('random requests to control socket, management port and the socket of a worker harm nothing', async () => {
  expect(await fuzzSockets(SEED, 150)).toEqual([]);
});

// Its body fills what the system keeps of a connection: a server that reads no more never sees its end.
test('a follower of a log whose body nobody asked for leaves as any other', async () => {
  expect(await fuzzSockets(1, 1, 661)).toEqual([]);
});

test('a seed and a number are one request', () => {
  const target = { paths: ['/a'], bodies: ['{}'] };
  const bytes = (seed: number, number: number): string =>
    requestOf(seed, number, target).bytes.toString('hex');
  expect(bytes(1, 7)).toBe(bytes(1, 7));
  expect(new Set(Array.from({ length: 100 }, (_, n) => bytes(1, n))).size).toBeGreaterThan(95);
  expect(bytes(1, 7)).not.toBe(bytes(2, 7));
});

test('random app files are accepted, or refused as invalid', async () => {
  const { findings, accepted } = await fuzzReader(SEED, 400);
  expect(findings).toEqual([]);
  expect(accepted).toBeGreaterThan(20);
  expect(accepted).toBeLessThan(200);
});

test('the command check ends with 0 or 5 for random app files, without a stack trace', async () => {
  expect(await fuzzCheck(SEED, 6)).toEqual([]);
});

test('a service that is reloaded with random app files keeps its workers, or replaces them, and answers', async () => {
  expect(await fuzzReload(SEED, 20)).toEqual([]);
});

test('random attacks of a worker on its channel harm neither the supervisor nor the other worker', async () => {
  const { findings, replaced } = await fuzzChannel({ seed: SEED, attacks: 25, say: () => undefined });
  expect(findings).toEqual([]);
  expect(replaced).toBeGreaterThan(5);
});
