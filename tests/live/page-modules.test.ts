/** The pure modules of the live page: what they keep is bounded, merged without doubles, and shown in few words. */
import type { LiveRoute, Moment } from '../../src/live/messages.js';
import { markersOf, MAX_EVENTS, mergedEvents } from '../../src/live/page/events.js';
import { bytes, duration, known, latency, percent, rate } from '../../src/live/page/format.js';
import { headlineOf } from '../../src/live/page/headline.js';
import { appended, matching, MAX_LINES } from '../../src/live/page/log.js';
import { routesOf } from '../../src/live/page/routes.js';
import { MAX_SAMPLES, merged, ofService, ofSlot, sampleOf } from '../../src/live/page/samples.js';
import { columnsOf, PLOTS, reduced, sentenceOf, topOf } from '../../src/live/page/series.js';
import { EMPTY, withEvent, withHistory, withLines, withMoment } from '../../src/live/page/store.js';
import { lifecycle, logLine, moment, workers } from '../support/live-page-messages.js';

const T0 = Date.UTC(2026, 0, 1);
const seconds = (from: number, to: number): Moment[] =>
  Array.from({ length: to - from }, (_, index) => moment(T0 + (from + index) * 1_000));
const [requests] = PLOTS;
const serving = PLOTS.at(-1);
if (requests === undefined || serving === undefined) throw new Error('there are no plots');

describe('samples', () => {
  test('a day stays an hour of samples, the last ten minutes of each second', () => {
    const day = seconds(0, 86_400 - 1_800);
    let state = withHistory(EMPTY, { moments: day, lifecycle: [] });
    for (const each of seconds(86_400 - 1_800, 86_400)) state = withMoment(state, each);
    const times = state.samples.map(({ at }) => (at - T0) / 1_000);
    expect(times.length).toBeLessThanOrEqual(MAX_SAMPLES);
    expect(times[0]).toBeGreaterThanOrEqual(86_399 - 3_600);
    expect(times[0]).toBeLessThan(86_399 - 3_590);
    expect(times.slice(-600)).toEqual(Array.from({ length: 600 }, (_, index) => 85_800 + index));
  });

  test('the history of another server, half a second apart, adds only what was missed', () => {
    const kept = merged([], seconds(0, 60).map(sampleOf));
    const others = seconds(30, 90).map(each => sampleOf({ ...each, at: each.at + 400 }));
    const all = merged(kept, others);
    expect(all.map(({ at }) => Math.floor((at - T0) / 1_000))).toEqual(
      Array.from({ length: 90 }, (_, index) => index),
    );
  });

  test('a clock that was put back leaves no sample of the future', () => {
    let state = EMPTY;
    for (const each of [...seconds(100, 110), ...seconds(50, 52)]) state = withMoment(state, each);
    expect(state.samples.map(({ at }) => (at - T0) / 1_000)).toEqual([50, 51]);
  });

  test('what is unknown counts neither for the sum nor for the mean', () => {
    const [first, second] = workers(2);
    if (first === undefined || second === undefined) throw new Error('there are two workers');
    const sample = sampleOf(
      moment(T0, {
        workers: [
          { ...first, cpu: 30 },
          { ...second, cpu: null },
        ],
      }),
    );
    expect(ofService(sample, 'cpu', 'sum')).toBe(30);
    expect(ofService(sample, 'cpu', 'mean')).toBe(30);
    expect(ofSlot(sample, 'cpu', 1)).toBeNull();
    expect(ofService(sampleOf(moment(T0, { workers: [] })), 'cpu', 'highest')).toBeNull();
  });
});

describe('plots', () => {
  test('a time without samples is a gap in every line', () => {
    const samples = [...seconds(0, 3), ...seconds(60, 62)].map(sampleOf);
    const [times, all, ofChosen] = columnsOf(samples, requests, 1);
    expect(times).toHaveLength(6);
    expect(all).toEqual([200, 200, 200, null, 200, 200]);
    expect(ofChosen).toEqual([100, 100, 100, null, 100, 100]);
  });

  test('reducing keeps peaks, troughs and gaps', () => {
    const values = Array.from({ length: 1_000 }, (_, index) =>
      index === 500 ? 99 : index === 501 ? -99 : 1,
    );
    const points = reduced(
      values.map((_, index) => index),
      [...values.slice(0, 998), null, 1],
      100,
    );
    expect(points.length).toBeLessThanOrEqual(150);
    expect(points.map(({ value }) => value)).toEqual(expect.arrayContaining([99, -99, null]));
    const times = points.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('the scale ends at a round number with a little air', () => {
    expect([0, 4, 5, 9.9, 970, 1_940].map(value => topOf(value, requests))).toEqual([
      5, 5, 5, 15, 1_500, 3_000,
    ]);
    expect(topOf(4, serving)).toBe(5);
  });

  test('a sentence says what the plot shows', () => {
    const columns = columnsOf(seconds(0, 3).map(sampleOf), requests, null);
    expect(sentenceOf(requests, columns, 'the last 2 minutes')).toBe(
      'Requests per second (all workers), the last 2 minutes: now 200, lowest 200, highest 200',
    );
    expect(sentenceOf(requests, [[], [], []], 'the last 2 minutes')).toBe(
      'Requests per second, the last 2 minutes: no figures yet',
    );
  });
});

describe('events', () => {
  test('the same event from two servers stays one, and gets the stack that one of them knows', () => {
    const hang = lifecycle(T0, { kind: 'hang', slot: 1, pid: 7, text: 'blocked for 1.0 s' });
    const withStack = { ...hang, at: T0 + 900, text: 'blocked for 1.9 s', stack: 'at spin' };
    const state = withHistory(withEvent(EMPTY, hang), { moments: [], lifecycle: [withStack] });
    expect(state.events).toEqual([withStack]);
    expect(withEvent(state, hang).events).toEqual([withStack]);
  });

  test('two crashes of one slot are two', () => {
    const crash = lifecycle(T0, { kind: 'crash', slot: 1, pid: 7 });
    expect(mergedEvents([crash], [{ ...crash, at: T0 + 200, pid: 8 }])).toHaveLength(2);
  });

  test('no more than the newest are kept', () => {
    const many = Array.from({ length: MAX_EVENTS + 9 }, (_, index) =>
      lifecycle(T0, { kind: 'crash', pid: index }),
    );
    expect(mergedEvents([], many)).toHaveLength(MAX_EVENTS);
  });

  test('markers that would overlap are one, of the kind of the worst', () => {
    const events = [
      lifecycle(T0 + 1_000, { kind: 'start' }),
      lifecycle(T0 + 50_000, { kind: 'ready' }),
      lifecycle(T0 + 51_000, { kind: 'crash' }),
      lifecycle(T0 + 200_000),
    ];
    const markers = markersOf(events, { from: T0, to: T0 + 100_000, width: 1_000, gap: 20 });
    expect(markers.map(({ position, kind, events: group }) => [position, kind, group.length])).toEqual([
      [10, 'start', 1],
      [500, 'crash', 2],
    ]);
  });
});

describe('the log', () => {
  test('keeps the newest lines, and cuts endless ones', () => {
    const many = Array.from({ length: MAX_LINES + 5 }, (_, index) => logLine(T0 + index));
    const lines = withLines(withLines(EMPTY, many), [logLine(T0, { text: 'x'.repeat(9_000) })]).log;
    expect(lines).toHaveLength(MAX_LINES);
    expect(lines.at(-1)?.text).toHaveLength(4_001);
    expect(appended([], [])).toEqual([]);
  });

  test.each([
    ['info', '', ['a', 'b', 'c']],
    ['warn', '', ['b', 'c']],
    ['trace', 'REQ-2', ['b']],
    ['trace', ' a ', ['a']],
    ['error', 'req-2', []],
  ] as const)('from %s with "%s"', (level, search, texts) => {
    const lines = [
      logLine(T0, { text: 'a' }),
      logLine(T0, { text: 'b', level: 'warn', requestId: 'req-2' }),
      logLine(T0, { text: 'c', level: 'fatal' }),
    ];
    expect(lines.filter(matching({ level, search })).map(({ text }) => text)).toEqual(texts);
  });
});

test('routes have mean rates, and the highest latencies, of the last moments', () => {
  const route = (fields: Partial<LiveRoute>): LiveRoute => ({
    method: 'GET',
    route: '/a',
    requestsPerSecond: 10,
    errorsPerSecond: 0,
    p50Ms: 1,
    p99Ms: null,
    ...fields,
  });
  const recent = [
    [route({}), route({ route: '/b', requestsPerSecond: 90 })],
    [route({ errorsPerSecond: 2, p99Ms: 7 })],
  ];
  expect(routesOf(recent)).toEqual([
    route({ route: '/b', requestsPerSecond: 45 }),
    route({ errorsPerSecond: 1, p99Ms: 7 }),
  ]);
});

test.each([
  [{}, 'Ready', '2 of 2 workers serve'],
  [{ wanted: 1, served: 1 }, 'Ready', '1 of 1 worker serves'],
  [{ state: 'degraded', served: 1 }, 'Degraded', '1 of 2 workers serve'],
  [{ state: 'of-the-future' }, 'of-the-future', '2 of 2 workers serve'],
  [
    { state: 'reloading', workers: [...workers(1, { generation: 2 }), ...workers(2).slice(1)] },
    'Reloading',
    '1 of 2 replaced, 2 of 2 workers serve',
  ],
  [{ state: 'reloading', workers: workers(2, { generation: null }) }, 'Reloading', '2 of 2 workers serve'],
])('the headline of %j', (fields, name, detail) => {
  expect(headlineOf(moment(T0, fields))).toMatchObject({ name, detail });
});

test('figures have about three digits and a unit', () => {
  expect([0.25, 7.123, 84.26, 999, 1_234, 65_000].map(latency)).toEqual([
    '0.25 ms',
    '7.12 ms',
    '84.3 ms',
    '999 ms',
    '1.23 s',
    '65.0 s',
  ]);
  expect([512, 2_048, 97_517_568].map(bytes)).toEqual(['512 B', '2.0 kB', '93.0 MB']);
  expect([0.44, 9.96, 12_345].map(rate)).toEqual(['0.4', '10.0', '12,345']);
  expect([3.21, 199.7].map(percent)).toEqual(['3.2 %', '200 %']);
  expect([900, 61_000, 7_260_000, 180_000_000].map(duration)).toEqual([
    '0 s',
    '1 min 1 s',
    '2 h 1 min',
    '2 d 2 h',
  ]);
  expect(known(null, rate)).toBe('–');
});
