/** Every transition of a worker's life, and the readiness that each state means. */
import type { SupervisedBy } from '../../src/protocol/supervised-by.js';
import {
  BOOTING,
  readinessOf,
  transition,
  type Order,
  type OrderSource,
  type WorkerEvent,
  type WorkerState,
} from '../../src/worker/state.js';

const SERVING: WorkerState = { phase: 'serving', drainDelayMs: 300, drainTimeoutMs: 8_000 };
const DRAINING: WorkerState = { phase: 'draining', reason: 'retire', hasFailed: false };
const ENDS: readonly WorkerState[] = [{ phase: 'failed' }, { phase: 'exiting' }];

const STARTED: WorkerEvent = { type: 'started', drainDelayMs: 300, drainTimeoutMs: 8_000 };
const FAILURE: WorkerEvent = { type: 'failure', error: new Error('out of the blue') };
const drained = (isClean: boolean): WorkerEvent => ({ type: 'drained', isClean });
const order = (given: Order, source: OrderSource = 'supervisor'): WorkerEvent => ({
  type: 'order',
  order: given,
  source,
  cause: 'a test',
});

const SUPERVISORS: readonly SupervisedBy[] = ['none', 'native', 'pm2'];
const ORDERS: readonly Order[] = ['stop', 'retire', 'orphaned', 'now'];

describe('booting', () => {
  test('becomes serving once it accepts connections', () => {
    expect(transition(BOOTING, STARTED, 'native')).toEqual({ state: SERVING, effects: [{ type: 'serve' }] });
  });

  test.each(ORDERS)('exits with 0 by the order "%s": there is nothing to drain', given => {
    for (const supervisedBy of SUPERVISORS)
      expect(transition(BOOTING, order(given), supervisedBy)).toEqual({
        state: { phase: 'exiting' },
        effects: [{ type: 'exit', code: 0 }],
      });
  });

  test('fails by any failure', () => {
    expect(transition(BOOTING, FAILURE, 'none')).toEqual({
      state: { phase: 'failed' },
      effects: [{ type: 'fail', error: FAILURE.type === 'failure' && FAILURE.error }],
    });
  });

  test('has nothing drained', () => {
    expect(transition(BOOTING, drained(true), 'none')).toEqual({ state: BOOTING, effects: [] });
  });
});

describe('serving', () => {
  test.each([
    ['stop', 300],
    ['retire', 0],
    ['orphaned', 0],
  ] as const)('drains by the order "%s", after a delay of %i ms', (given, delayMs) => {
    for (const supervisedBy of SUPERVISORS)
      expect(transition(SERVING, order(given), supervisedBy)).toEqual({
        state: { phase: 'draining', reason: given, hasFailed: false },
        effects: [
          { type: 'log.drain', cause: 'a test' },
          { type: 'drain', delayMs, timeoutMs: 8_000 },
        ],
      });
  });

  test('exits at once by the order "now"', () => {
    expect(transition(SERVING, order('now', 'external'), 'none')).toEqual({
      state: { phase: 'exiting' },
      effects: [{ type: 'exit', code: 0 }],
    });
  });

  test('reports an external order to the native supervisor only', () => {
    const reported = SUPERVISORS.filter(supervisedBy =>
      transition(SERVING, order('retire', 'external'), supervisedBy).effects.some(
        effect => effect.type === 'report.draining' && effect.code === 0 && effect.reason === 'a test',
      ),
    );
    expect(reported).toEqual(['native']);
  });

  test('drains for 2 s by a failure, without a delay, and reports it', () => {
    const { error } = FAILURE as { error: unknown };
    expect(transition(SERVING, FAILURE, 'native')).toEqual({
      state: { phase: 'draining', reason: 'failure', hasFailed: true },
      effects: [
        { type: 'log.failure', error },
        { type: 'report.draining', code: 1, reason: error },
        { type: 'drain', delayMs: 0, timeoutMs: 2_000 },
      ],
    });
    expect(transition(SERVING, FAILURE, 'pm2').effects.map(({ type }) => type)).toEqual([
      'log.failure',
      'drain',
    ]);
  });

  test.each([[STARTED], [drained(true)]])('is not changed by %p', event => {
    expect(transition(SERVING, event, 'native')).toEqual({ state: SERVING, effects: [] });
  });
});

describe('draining', () => {
  test.each(['native', 'pm2'] as const)('ignores further orders under %s, which escalates itself', by => {
    for (const given of ORDERS)
      expect(transition(DRAINING, order(given), by)).toEqual({ state: DRAINING, effects: [] });
  });

  test.each(ORDERS)('without a supervisor a second order ("%s") exits at once, with code 1', given => {
    expect(transition(DRAINING, order(given, 'external'), 'none')).toEqual({
      state: { phase: 'exiting' },
      effects: [{ type: 'exit', code: 1 }],
    });
  });

  test('a failure shortens the drain', () => {
    const { error } = FAILURE as { error: unknown };
    expect(transition(DRAINING, FAILURE, 'native')).toEqual({
      state: { phase: 'draining', reason: 'retire', hasFailed: true },
      effects: [
        { type: 'log.failure', error },
        { type: 'drain.hurry', timeoutMs: 2_000 },
      ],
    });
  });

  test.each([
    [true, false, 0],
    [false, false, 1],
    [true, true, 1],
    [false, true, 1],
  ])('drained (clean: %p, failed before: %p) exits with %i', (isClean, hasFailed, code) => {
    const state: WorkerState = { phase: 'draining', reason: 'stop', hasFailed };
    expect(transition(state, drained(isClean), 'native')).toEqual({
      state: { phase: 'exiting' },
      effects: [{ type: 'exit', code }],
    });
  });

  test('is not changed by a late start', () => {
    expect(transition(DRAINING, STARTED, 'native')).toEqual({ state: DRAINING, effects: [] });
  });
});

test.each(ENDS)('nothing changes %p: the exit code is decided', state => {
  for (const event of [STARTED, order('stop'), order('now', 'external'), FAILURE, drained(true)])
    for (const supervisedBy of SUPERVISORS)
      expect(transition(state, event, supervisedBy)).toEqual({ state, effects: [] });
});

describe('readiness', () => {
  test.each([
    [BOOTING, 'starting'],
    [SERVING, 'ready'],
    [{ phase: 'draining', reason: 'stop', hasFailed: false }, 'stopping'],
    [{ phase: 'draining', reason: 'orphaned', hasFailed: false }, 'stopping'],
    [{ phase: 'failed' }, 'stopping'],
    [{ phase: 'exiting' }, 'stopping'],
  ] as const)('%p is %s', (state, readiness) => {
    expect(readinessOf(state)).toBe(readiness);
  });

  test.each(['retire', 'failure'] as const)(
    'stays ready while it drains because of "%s": others of this host serve',
    reason => {
      expect(readinessOf({ phase: 'draining', reason, hasFailed: reason === 'failure' })).toBe('ready');
    },
  );
});
