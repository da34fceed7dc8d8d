/** Every transition of a worker's life. */
import {
  next,
  readinessOf,
  type Transition,
  type WorkerEvent,
  type WorkerState,
} from '../../src/worker/state.js';

const booting: WorkerState = { at: 'booting' };
const serving: WorkerState = { at: 'serving' };
const failed: WorkerState = { at: 'failed' };
const stopping: WorkerState = { at: 'draining', isStopping: true, hasFailed: false };
const retiring: WorkerState = { at: 'draining', isStopping: false, hasFailed: false };
const crashing: WorkerState = { at: 'draining', isStopping: false, hasFailed: true };

const error = new Error('out of the blue');
const crashed: WorkerEvent = { type: 'crashed', error };
const order = (
  what: Extract<WorkerEvent, { type: 'order' }>['order'],
  source: 'supervisor' | 'external' = 'supervisor',
): WorkerEvent => ({ type: 'order', order: what, source, reason: 'why' });

const logged = { type: 'log-draining', reason: 'why' } as const;
const drain = (delayed: boolean, limit: 'drain' | 'crash' = 'drain') =>
  ({ type: 'drain', delayed, limit }) as const;
const exit = (code: number) => ({ type: 'exit', code }) as const;
const reported = { type: 'report-boot-failure', error } as const;
const loggedCrash = { type: 'log-crash', error } as const;

test.each<[string, WorkerState, WorkerEvent, Transition]>([
  ['a boot that succeeds', booting, { type: 'booted' }, [serving, []]],
  ['a boot that succeeds after an uncaught error', failed, { type: 'booted' }, [failed, []]],
  ['a boot that fails', booting, { type: 'boot-failed', error }, [failed, [reported]]],
  ['a second failure', failed, { type: 'boot-failed', error }, [failed, []]],
  ['an uncaught error while it boots', booting, crashed, [failed, [reported]]],
  ['an uncaught error after that', failed, crashed, [failed, []]],
  ['an order while it boots', booting, order('stop'), [booting, [exit(0)]]],
  ['the order to stop', serving, order('stop'), [stopping, [logged, drain(true)]]],
  ['the order to retire', serving, order('retire'), [retiring, [logged, drain(false)]]],
  ['the order to exit at once', serving, order('now'), [serving, [exit(0)]]],
  [
    'a signal that the supervisor does not know of',
    serving,
    order('retire', 'external'),
    [retiring, [logged, { type: 'announce-draining', code: 0 }, drain(false)]],
  ],
  [
    'the loss of its supervisor',
    serving,
    order('orphaned', 'external'),
    [stopping, [logged, { type: 'announce-draining', code: 0 }, drain(false)]],
  ],
  ['a second order', stopping, order('stop'), [stopping, []]],
  [
    'an uncaught error while it serves',
    serving,
    crashed,
    [crashing, [loggedCrash, { type: 'announce-draining', code: 1 }, drain(false, 'crash')]],
  ],
  [
    'an uncaught error while it drains',
    stopping,
    crashed,
    [{ ...stopping, hasFailed: true }, [loggedCrash, { type: 'hurry' }]],
  ],
  ['the end of a clean drain', stopping, { type: 'drained', isClean: true }, [stopping, [exit(0)]]],
  ['the end of a drain with cuts', stopping, { type: 'drained', isClean: false }, [stopping, [exit(1)]]],
  ['the end after an uncaught error', crashing, { type: 'drained', isClean: true }, [crashing, [exit(1)]]],
])('natively: %s', (_name, state, event, expected) => {
  expect(next(state, event, 'native')).toEqual(expected);
});

test.each(['none', 'pm2'] as const)('supervised by %s, it announces nothing', supervisedBy => {
  expect(next(serving, order('stop', 'external'), supervisedBy)).toEqual([stopping, [logged, drain(true)]]);
  expect(next(serving, crashed, supervisedBy)).toEqual([crashing, [loggedCrash, drain(false, 'crash')]]);
});

test('a second order ends a worker alone at once; a supervisor has SIGKILL for that', () => {
  expect(next(stopping, order('stop', 'external'), 'none')).toEqual([stopping, [exit(1)]]);
  expect(next(stopping, order('stop'), 'pm2')).toEqual([stopping, []]);
});

test.each<[WorkerState, string]>([
  [booting, 'starting'],
  [failed, 'starting'],
  [serving, 'ready'],
  [retiring, 'ready'],
  [crashing, 'ready'],
  [stopping, 'stopping'],
])('/readyz of %j is %s', (state, readiness) => {
  expect(readinessOf(state)).toBe(readiness);
});
