/** What the live page remembers: an hour, sparser with age, bounded. */
import {
  historyJson,
  keptEvent,
  keptMoment,
  historyLines,
  MAX_HISTORY,
  NO_HISTORY,
  parseHistory,
  withEvent,
  withMoment,
  type History,
} from '../../src/live/history.js';
import type { LiveHistory } from '../../src/live/messages.js';
import { lifecycle, moment, workers } from '../support/live-page-messages.js';

const read = (history: History): LiveHistory => JSON.parse(historyJson(history)) as LiveHistory;

function after(seconds: number, fields = {}): History {
  let history = NO_HISTORY;
  for (let second = 0; second <= seconds; second++)
    history = withMoment(history, keptMoment(moment(second * 1_000, fields)));
  return history;
}

const gaps = ({ moments }: LiveHistory): number[] =>
  moments.slice(1).map(({ at }, index) => (at - (moments[index]?.at ?? 0)) / 1_000);

test('moments of the last two minutes are all there, older ones are sparser, the oldest is an hour old', () => {
  const kept = read(after(2 * 60 * 60));
  const [newest, oldest] = [kept.moments.at(-1)?.at ?? 0, kept.moments[0]?.at ?? 0];
  expect(newest).toBe(7_200_000);
  expect(newest - oldest).toBeLessThanOrEqual(3_600_000);
  expect(newest - oldest).toBeGreaterThan(3_560_000);
  expect(gaps(kept).slice(-119)).toEqual(Array.from({ length: 119 }, () => 1));
  expect(Math.max(...gaps(kept))).toBeLessThanOrEqual(35);
  expect(kept.moments.length).toBeLessThan(350);
});

test('many workers shorten the history instead of growing it', () => {
  const history = after(600, { workers: workers(200) });
  expect(historyJson(history).length).toBeLessThan(MAX_HISTORY + 1_024);
  expect(read(history).moments.at(-1)?.at).toBe(600_000);
});

test('the last 200 events are kept, and an endless stack is not', () => {
  let history = NO_HISTORY;
  for (let at = 0; at < 300; at++) history = withEvent(history, keptEvent(lifecycle(at)));
  history = withEvent(history, keptEvent(lifecycle(300, { kind: 'hang', stack: 'x'.repeat(100_000) })));
  const { lifecycle: events } = read(history);
  expect(events).toHaveLength(200);
  expect(events.at(-1)).toMatchObject({ at: 300, stack: null });
});

test('many long stacks shorten the list of events: a full history has no more than its limit', () => {
  let history = after(600, { workers: workers(200) });
  const stack = 'x'.repeat(15 * 1_024);
  for (let at = 0; at < 200; at++)
    history = withEvent(history, keptEvent(lifecycle(at, { kind: 'hang', stack })));
  expect(read(history).lifecycle.at(-1)).toMatchObject({ at: 199, stack });
  expect(historyJson(history).length).toBeLessThan(MAX_HISTORY + 1_024);
});

test('of a file with a day of moments, the last hour is read', () => {
  const day = Array.from({ length: 4_320 }, (_, index) => keptMoment(moment(index * 20_000)));
  const kept = read(parseHistory(Buffer.from(historyLines({ moments: day, events: [] }))));
  expect(kept.moments.at(-1)?.at).toBe(4_319 * 20_000);
  expect(kept.moments[0]?.at).toBeGreaterThanOrEqual(4_319 * 20_000 - 3_600_000);
  expect(kept.moments[0]?.at).toBeLessThan(4_319 * 20_000 - 3_540_000);
  expect(Math.max(...gaps(kept))).toBe(40);
});

test('the next holder of the port reads what the one before has written, without a broken end', () => {
  const history = withEvent(after(10), keptEvent(lifecycle(5_000)));
  expect(parseHistory(Buffer.from(`${historyLines(history)}{"moment":{"at":1`))).toEqual(history);
  expect(parseHistory(Buffer.from('nonsense\n{"moment":null}\n{}\n'))).toEqual(NO_HISTORY);
});

test('a clock that was set back does not stop the history', () => {
  const history = withMoment(
    withMoment(NO_HISTORY, keptMoment(moment(10_000_000))),
    keptMoment(moment(1_000_000)),
  );
  expect(read(history).moments.at(-1)?.at).toBe(1_000_000);
});
