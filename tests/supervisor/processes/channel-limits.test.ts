/** How much a worker may send before it is at fault. */
import {
  createChannelMeter,
  MAX_UNFINISHED_BYTES,
  MESSAGES_AT_ONCE,
  MESSAGES_PER_SECOND,
  type ChannelMeter,
} from '../../../src/supervisor/processes/channel-limits.js';

let now: number;
let heap: number;
let meter: ChannelMeter;
beforeEach(() => {
  now = 0;
  heap = 20e6;
  meter = createChannelMeter(
    () => now,
    () => heap,
  );
});

/** @returns how many of them are accepted */
function send(messages: number): number {
  let accepted = 0;
  for (let sent = 0; sent < messages; sent++) if (meter.countMessage()) accepted++;
  return accepted;
}

/** Reads without a message, each of which grows the heap. @returns how many are accepted */
function read(reads: number, growth: number): number {
  let accepted = 0;
  while (accepted < reads && meter.countRead()) {
    accepted++;
    heap += growth;
  }
  return accepted;
}

test('many messages may come at once, and a steady stream for ever', () => {
  expect(send(MESSAGES_AT_ONCE + 10)).toBe(MESSAGES_AT_ONCE);
  for (let second = 0; second < 100; second++) {
    now += 1_000;
    send(second === 0 ? 10 : 0); // pays for the ten that were too many
    expect(send(MESSAGES_PER_SECOND - 20)).toBe(MESSAGES_PER_SECOND - 20);
  }
});

test('an idle hour does not add up to more than what may come at once', () => {
  now += 3_600_000;
  expect(send(MESSAGES_AT_ONCE + 10)).toBe(MESSAGES_AT_ONCE);
});

test('a message without an end is at fault once it has come to 32 MB and the heap has grown by them', () => {
  const reads = read(10_000, 65_536);
  expect(reads * 65_536).toBeGreaterThanOrEqual(MAX_UNFINISHED_BYTES);
  expect(reads * 65_536).toBeLessThan(MAX_UNFINISHED_BYTES + 3e6);
});

test('one that trickles is not, nor is one whose heap does not grow, nor what others add to the heap', () => {
  expect(read(10_000, 0)).toBe(10_000);
  meter.countMessage();
  expect(read(400, 1e6)).toBe(400);
});

test('the end of a message is the beginning of the next', () => {
  for (let message = 0; message < 100; message++) {
    expect(read(400, 65_536)).toBe(400);
    meter.countMessage();
  }
});
