/** How a status reads: headline, last reload, and a row for every worker. */
import { asText, duration } from '../../src/commands/status.js';
import type { Status, WorkerStatus } from '../../src/supervisor/report/status.js';

const NOW = Date.UTC(2030, 0, 1);
beforeEach(() => jest.useFakeTimers({ now: NOW }));
afterEach(() => jest.useRealTimers());

const worker = (more: Partial<WorkerStatus> = {}): WorkerStatus => ({
  slot: 0,
  pid: 4_001,
  generation: 1,
  state: 'ready',
  uptime: 200_000,
  restarts: 0,
  lastExit: null,
  memory: 50 * 2 ** 20,
  cpu: 1.26,
  ...more,
});

const status = (more: Partial<Status> = {}): Status => ({
  app: 'api',
  supervisor: { pid: 4_000, uptime: 3_723_000, version: '1.0.0', node: '22.1.0' },
  generation: 3,
  state: 'ready',
  wanted: 1,
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
        lastExit: { pid: 3_999, code: null, signal: 'SIGKILL', reason: 'exited (signal SIGKILL)' },
      }),
      worker({
        slot: 2,
        pid: null,
        state: 'errored',
        uptime: null,
        cpu: null,
        memory: null,
        lastExit: { pid: null, code: null, signal: null, reason: 'spawn EAGAIN' },
      }),
    ],
  });
  expect(lines(found).slice(2)).toEqual([
    'slot  pid    state    up        restarts  cpu      memory     gen  last exit',
    '0     4001   ready    3 m 20 s  0         1.3 %    50.0 MB    1    -',
    '1     14002  ready    3 m 20 s  12        100.0 %  1024.0 MB  1    3999 exited (signal SIGKILL)',
    '2     -      errored  -         0         -        -          1    - spawn EAGAIN',
  ]);
});

test.each([
  ['ready', '✓ api ready: 1 of 1 workers serve'],
  ['degraded', '✗ api degraded: 1 of 1 workers serve'],
  ['starting', '… api starting: 1 of 1 workers serve'],
  ['reloading', '… api reloading: 1 of 1 workers serve'],
  ['stopping', '… api stopping: 1 of 1 workers serve'],
] as const)('the headline of a service that is %s', (state, expected) => {
  expect(lines(status({ state }))[0]).toBe(
    `${expected}   (generation 3, supervisor pid 4000, up 1 h 2 m, node 22.1.0)`,
  );
});

test('a slot that two workers serve for a moment counts once, one that leaves does not', () => {
  const workers = [
    worker(),
    worker({ pid: 4_002 }),
    worker({ slot: 1, state: 'draining' }),
    worker({ slot: 1, state: 'starting' }),
  ];
  expect(lines(status({ workers, wanted: 2 }))[0]).toContain(': 1 of 2 workers serve');
});

test('before anything has been forked there is but the heading', () => {
  expect(lines(status({ workers: [], wanted: 2, state: 'starting' })).slice(1)).toEqual([
    '',
    'slot  pid  state  up  restarts  cpu  memory  gen  last exit',
  ]);
});

test.each([
  [null, ''],
  [{ at: NOW - 65_000, ok: true, reason: null }, '  last reload 1 m 5 s ago: done'],
  [{ at: NOW - 300, ok: false, reason: 'it crashed' }, '  last reload 300 ms ago: aborted, it crashed'],
])('the last reload: %p', (lastReload, expected) => {
  expect(lines(status({ lastReload }))[1]).toBe(expected);
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

test.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [0.9, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [59_999, '59 s'],
  [60_000, '1 m 0 s'],
  [200_000, '3 m 20 s'],
  [3_599_999, '59 m 59 s'],
  [3_600_000, '1 h 0 m'],
  [86_399_999, '23 h 59 m'],
  [86_400_000, '1 d 0 h'],
  [371 * 86_400_000 + 7 * 3_600_000, '371 d 7 h'],
])('%i ms is %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});
