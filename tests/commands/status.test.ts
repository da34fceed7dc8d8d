/** How a status reads: headline, last reload, and a row for every worker. */
import { asText, exitCodeOf } from '../../src/commands/status.js';
import { NO_FIGURES } from '../../src/supervisor/report/figures.js';
import type { LastExit, Status, WorkerStatus } from '../../src/supervisor/report/status.js';

const NOW = Date.UTC(2030, 0, 1);
beforeEach(() => jest.useFakeTimers({ now: NOW }));
afterEach(() => jest.useRealTimers());

const worker = (more: Partial<WorkerStatus> = {}): WorkerStatus => ({
  slot: 0,
  pid: 4_001,
  generation: 1,
  state: 'ready',
  hungFor: null,
  nextTryIn: null,
  uptime: 200_000,
  restarts: 0,
  lastExit: null,
  exits: [],
  memory: 50 * 2 ** 20,
  cpu: 1.26,
  eventLoopUtilization: 0.423,
  requestsPerSecond: 120.5,
  p99: 5.7,
  inFlight: 3,
  ...more,
});

const exit = (more: Partial<LastExit>): LastExit => ({
  pid: null,
  code: null,
  signal: null,
  reason: '',
  error: null,
  at: null,
  uptime: null,
  ...more,
});

const status = (more: Partial<Status> = {}): Status => ({
  app: 'api',
  file: '/srv/api/ecosystem.config.js',
  env: null,
  supervisor: { pid: 4_000, uptime: 3_723_000, version: '1.0.0', node: '22.1.0' },
  generation: 3,
  state: 'ready',
  wanted: 1,
  served: 1,
  restartsLastMinute: 0,
  why: [],
  workers: [worker()],
  lastReload: null,
  ...more,
});

type Paint = Parameters<typeof asText>[1];

const plain: Paint = text => text;
/** Shows what is painted, and as which state. */
const marked: Paint = (text, state) => `<${state}>${text}</>`;
const lines = (found: Status, paint = plain): string[] => asText(found, paint).split('\n');

test('a table with a column for everything there is to know', () => {
  const found = status({
    wanted: 3,
    workers: [
      worker(),
      worker({
        slot: 1,
        pid: 14_002,
        restarts: 12,
        cpu: 100,
        memory: 2 ** 30,
        lastExit: exit({ pid: 3_999, signal: 'SIGKILL', reason: 'exited (signal SIGKILL)' }),
      }),
      worker({
        slot: 2,
        pid: null,
        state: 'errored',
        uptime: null,
        cpu: null,
        memory: null,
        ...NO_FIGURES,
        lastExit: exit({ reason: 'spawn EAGAIN' }),
      }),
    ],
  });
  expect(lines(found).slice(2)).toEqual([
    'slot  pid    state    up        restarts  cpu      memory     gen  loop    req/s  p99     in flight  last exit',
    '0     4001   ready    3 m 20 s  0         1.3 %    50.0 MB    1    42.3 %  120.5  5.7 ms  3          -',
    '1     14002  ready    3 m 20 s  12        100.0 %  1024.0 MB  1    42.3 %  120.5  5.7 ms  3          3999 exited (signal SIGKILL)',
    '2     -      errored  -         0         -        -          1    -       -      -       -          - spawn EAGAIN',
  ]);
});

test.each([
  ['ready', '✓ api ready: 1 of 1 workers serve'],
  ['degraded', '✗ api degraded: 1 of 1 workers serve'],
  ['crash-looping', '✗ api crash-looping: 1 of 1 workers serve'],
  ['down', '✗ api down: 1 of 1 workers serve'],
  ['starting', '… api starting: 1 of 1 workers serve'],
  ['reloading', '… api reloading: 1 of 1 workers serve'],
  ['stopping', '… api stopping: 1 of 1 workers serve'],
] as const)('the headline of a service that is %s', (state, expected) => {
  expect(lines(status({ state }))[0]).toBe(
    `${expected}   (generation 3, supervisor pid 4000, up 1 h 2 m, node 22.1.0)`,
  );
});

test('headline and row of a worker that hangs tell for how long', () => {
  const workers = [worker({ state: 'hung', hungFor: 20_400 }), worker({ slot: 1 })];
  const found = lines(status({ state: 'hung', served: 1, wanted: 2, workers }));
  expect(found[0]).toContain('✗ api hung: 1 of 2 workers serve, 1 hung for 20 s   (');
  expect(found[3]).toMatch(/^0 +4001 +hung for 20 s +3 m 20 s/);
});

test('the headline tells how often workers were restarted within the last minute', () => {
  expect(lines(status({ restartsLastMinute: 1 }))[0]).toContain('serve, 1 restart in the last minute   (');
  expect(lines(status({ restartsLastMinute: 6 }))[0]).toContain('serve, 6 restarts in the last minute   (');
});

test('the last exit tells how long ago it was, and how long the worker had run', () => {
  const lastExit = exit({
    pid: 4_711,
    code: 1,
    reason: 'exited (code 1): boom',
    at: NOW - 3_200,
    uptime: 120,
  });
  expect(lines(status({ workers: [worker({ lastExit })] }))[3]).toMatch(
    / 4711 exited \(code 1\): boom \(3 s ago, after 120 ms\)$/,
  );
});

test('up to three slots are explained', () => {
  const why = (slots: number): string[] =>
    lines(status({ why: Array.from({ length: slots }, (_none, slot) => `slot ${slot} is errored`) })).filter(
      line => line.startsWith('  why:'),
    );
  expect(why(0)).toEqual([]);
  expect(why(3)).toEqual([
    '  why: slot 0 is errored',
    '  why: slot 1 is errored',
    '  why: slot 2 is errored',
  ]);
  expect(why(4).slice(3)).toEqual(['  why: and 1 more slot (status --json)']);
  expect(why(8).slice(3)).toEqual(['  why: and 5 more slots (status --json)']);
});

test('a slot in backoff tells when it gets its next worker', () => {
  const workers = [worker({ state: 'backoff', pid: null, nextTryIn: 12_900 })];
  expect(lines(status({ workers }))[3]).toMatch(/^0 +- +backoff, next try in 12 s +/);
});

test.each([
  ['ready', 2, 0],
  ['reloading', 2, 0],
  ['reloading', 1, 3],
  ['reloading', 0, 4],
  ['degraded', 1, 3],
  ['hung', 1, 3],
  ['hung', 2, 3],
  ['crash-looping', 2, 3],
  ['down', 0, 4],
  ['starting', 0, 4],
  ['stopping', 0, 4],
] as const)(
  'the exit code of a service that is %s, with %i of 2 slots served, is %i',
  (state, served, code) => {
    expect(exitCodeOf(status({ state, served, wanted: 2 }))).toBe(code);
  },
);

test('a job between two runs is ready', () => {
  expect(exitCodeOf(status({ state: 'ready', served: 0 }))).toBe(0);
});

test('before anything has been forked there is but the heading', () => {
  expect(lines(status({ workers: [], wanted: 2, served: 0, state: 'starting' })).slice(1)).toEqual([
    '',
    'slot  pid  state  up  restarts  cpu  memory  gen  loop  req/s  p99  in flight  last exit',
  ]);
});

test.each([
  [null, ''],
  [{ at: NOW - 65_000, ok: true, reason: null, advice: null }, '  last reload 1 m 5 s ago: done'],
  [
    { at: NOW - 300, ok: false, reason: 'it crashed', advice: null },
    '  last reload 300 ms ago: aborted, it crashed',
  ],
])('the last reload: %p', (lastReload, expected) => {
  expect(lines(status({ lastReload }))[1]).toBe(expected);
});

test('what follows from an aborted reload', () => {
  const lastReload = { at: NOW - 300, ok: false, reason: 'it crashed', advice: 'Restore it' };
  expect(lines(status({ lastReload })).slice(1, 4)).toEqual([
    '  last reload 300 ms ago: aborted, it crashed',
    '  Restore it',
    '',
  ]);
});

test('headline and states are painted, and nothing else', () => {
  const found = status({
    app: 'ready',
    workers: [worker(), worker({ slot: 1, state: 'backoff' })],
    wanted: 2,
  });
  const painted = lines(found, marked);
  expect(painted[0]).toMatch(/^<ready>✓ ready ready: 1 of 2 workers serve<\/> {3}\(generation/);
  expect(painted[2]).not.toContain('<');
  expect(painted[3]).toMatch(/^0 +4001 +<ready>ready<\/> +3 m 20 s/);
  expect(painted[4]).toMatch(/^1 +4001 +<backoff>backoff<\/> +3 m 20 s/);
});
