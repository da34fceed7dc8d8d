import { stripVTControlCharacters } from 'node:util';
import { frame } from '../../../src/commands/monit/frame.js';
import { coloured, plain } from '../../../src/commands/monit/paint.js';
import { firstState, type Event, type State } from '../../../src/commands/monit/state.js';
import { widthOf } from '../../../src/commands/monit/text.js';
import { update } from '../../../src/commands/monit/update.js';
import type { LiveWorker, Moment } from '../../../src/live/messages.js';
import { logLine, moment, NOON, worker } from '../../support/moments.js';

interface Shown {
  readonly columns: number;
  readonly rows: number;
}

const NOTHING = {
  pid: null,
  uptimeMs: null,
  cpu: null,
  memory: null,
  eventLoopUtilization: null,
  requestsPerSecond: null,
  p50Ms: null,
  p99Ms: null,
  inFlight: null,
};

/** A minute of a service, the load of which rises and falls. */
function minute(now: Moment, size: Shown, ...events: readonly Event[]): State {
  const wave = (one: LiveWorker, second: number): LiveWorker => ({
    ...one,
    requestsPerSecond: one.requestsPerSecond && one.requestsPerSecond * Math.abs(Math.sin(second / 10)),
    cpu: one.cpu && one.cpu * Math.abs(Math.sin(second / 10)),
  });
  const before = Array.from({ length: 60 }, (_, second): Event => ({
    type: 'moment',
    moment: {
      ...now,
      at: now.at - (60 - second) * 1_000,
      workers: now.workers.map(one => wave(one, second)),
    },
  }));
  const all = [...before, { type: 'moment', moment: now } as const, ...events];
  return all.reduce((state, event) => update(state, event).state, firstState(size, moment([], { at: 0 })));
}

const log: Event = {
  type: 'log',
  lines: [
    logLine('GET /health 200 0.4 ms'),
    logLine('Worker 4701: the pool is nearly exhausted', { slot: 1, level: 'warn' }),
    logLine('POST /api/games 500 12.1 ms: boom', { slot: 1, level: 'error' }),
    logLine('GET /世界 200 0.2 ms'),
  ],
};

const SCENES: Readonly<Record<string, (size: Shown) => State>> = {
  healthy: size => minute(moment([worker(0), worker(1), worker(2), worker(3)]), size, log),
  'crash loop': size =>
    minute(
      moment([worker(0, { restarts: 2 }), { ...worker(1, { restarts: 7, state: 'backoff' }), ...NOTHING }], {
        state: 'crash-looping',
        served: 1,
        why: ['slot 1: 4711 exited (code 1): Cannot find module (2 s ago, after 120 ms)'],
      }),
      size,
      log,
    ),
  'hung worker': size =>
    minute(
      moment([worker(0), worker(1, { state: 'hung', eventLoopUtilization: 1, requestsPerSecond: 0 })], {
        state: 'hung',
        served: 1,
        why: ['slot 1 has hung for 12 s'],
      }),
      size,
      log,
    ),
  reload: size =>
    minute(
      moment(
        [
          worker(0, { generation: 2, uptimeMs: 4_000, pid: 4_800 }),
          worker(1),
          worker(1, { ...NOTHING, pid: 4_801, generation: 2, state: 'starting', uptimeMs: 900 }),
          worker(0, { state: 'draining' }),
        ],
        { state: 'reloading', served: 2, wanted: 2 },
      ),
      size,
      log,
      { type: 'key', key: 'r' },
    ),
  'failed reload': size =>
    minute(
      moment([worker(0), worker(1)]),
      size,
      log,
      { type: 'key', key: 'r' },
      {
        type: 'outcome',
        id: 1,
        outcome: {
          ok: false,
          reason: 'the new worker of slot 0 exited (code 7) before it was ready',
          advice:
            'The failed build is still in place: restore the former build, or deploy another one, and reload',
        },
      },
    ),
  'a service under PM2': size =>
    minute(
      moment([worker(0, { generation: null }), worker(1, { generation: null })], { supervisedBy: 'pm2' }),
      size,
      { type: 'key', key: 'r' },
    ),
  help: size => minute(moment([worker(0)]), size, { type: 'key', key: '?' }),
};

const SIZES: readonly Shown[] = [
  { columns: 80, rows: 24 },
  { columns: 160, rows: 50 },
];

const cases = Object.entries(SCENES).flatMap(([name, scene]) =>
  SIZES.map(size => [name, size.columns, size.rows, scene(size)] as const),
);

test.each(cases)('%s at %d×%d', (_name, _columns, _rows, state) => {
  const lines = frame(state, plain).map(line => line.trimEnd());
  expect(`\n${lines.join('\n').trimEnd()}\n`).toMatchSnapshot();
});

const ODD_SIZES = [1, 2, 3, 5, 10, 24, 60].flatMap(rows =>
  [1, 10, 40, 79, 80, 100, 131, 200, 400].map(columns => ({ columns, rows })),
);

test('every screen has the rows of the terminal, none wider than it, with and without colours', () => {
  for (const [name, scene] of Object.entries(SCENES))
    for (const size of ODD_SIZES) {
      const state = scene(size);
      const lines = frame(state, plain);
      expect([name, size, lines.length]).toEqual([name, size, size.rows]);
      expect(lines.filter(line => widthOf(line) > size.columns)).toEqual([]);
      expect(frame(state, coloured).map(line => stripVTControlCharacters(line))).toEqual(lines);
    }
});

test('columns are dropped in their order, and those that tell most stay', () => {
  const heading = (columns: number): string[] => {
    const lines = frame(SCENES['healthy']?.({ columns, rows: 24 }) as State, plain);
    return (lines.find(line => line.includes('state')) ?? '').trim().split(/ {1,}(?!%|MB|ms|flight)/);
  };
  expect(heading(80)).toEqual([
    'slot',
    'state',
    'pid',
    'up',
    'restarts',
    'cpu %',
    'mem MB',
    'loop %',
    'req/s',
    'p99 ms',
    'in flight',
  ]);
  expect(heading(40)).toEqual(['slot', 'state', 'cpu %', 'req/s', 'p99 ms']);
  expect(heading(120)).toHaveLength(13);
});

test('no control character of a log line, a reason or a name reaches the terminal', () => {
  const evil = '\u001b]0;owned\u0007\u009b2J\u202e\r\n\u0000';
  const state = minute(
    moment([worker(0, { state: evil })], { app: evil, state: evil, why: [evil], at: NOON }),
    { columns: 160, rows: 24 },
    { type: 'log', lines: [logLine(evil), logLine(evil, { level: 'error' })] },
    { type: 'key', key: 'r' },
    { type: 'outcome', id: 1, outcome: { ok: false, reason: evil, advice: evil } },
  );
  expect(frame(state, plain).join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
