/**
 * Every transition of the pure core, one short test each: what `step` makes of a pool and an event. Pools result from
 * events only, so no test begins in a state that cannot be reached.
 */
import type { Event, Millis, Outcome, Policy, Pool, Slot } from '../../../src/supervisor/core/model.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import { nextWake } from '../../../src/supervisor/core/wake.js';
import { describeEffect, describeNotice } from '../../support/world.js';
import {
  after,
  reloadRequested,
  reloadRefused,
  LIMITED,
  exited,
  bootFailed,
  memoryExceeded,
  draining,
  responsive,
  hung,
  listening,
  run,
  reloadRead,
  ready,
  forkFailed,
  scaled,
  unresponsive,
  stop,
  stopNow,
  two,
  wake,
  type TimedEvents,
} from './events.js';

function describeSlot(slot: Slot): string {
  switch (slot.at) {
    case 'backoff':
      return `backoff until ${slot.until}`;
    case 'starting':
    case 'ready':
      return `w${slot.worker.id} ${slot.at}`;
    case 'replacing':
      return `w${slot.worker.id} ready, w${slot.successor.id} ${slot.successor.at}`;
    default:
      return slot.at;
  }
}

/** The pool in a line, then every effect except those of lent sockets (`lending.test.ts`). */
function summarize({ pool, effects, notices }: Outcome): string[] {
  const parts = [
    pool.slots.map(describeSlot).join(' | '),
    ...pool.draining.map(
      ({ id, deadline }) => `w${id} draining${deadline === undefined ? ', killed' : ` until ${deadline}`}`,
    ),
    ...(pool.reload === undefined
      ? []
      : [`reload ${pool.reload.canary}${pool.reloadAgain ? ', again' : ''}`]),
    ...(pool.verdict === undefined ? [] : [pool.ended ? 'ended' : 'ending']),
  ].filter(part => part !== '');
  const done = effects.filter(({ type }) => type !== 'lend' && type !== 'return').map(describeEffect);
  const failures = notices.filter(({ type }) => type === 'memory-restart.failed').map(describeNotice);
  return [parts.join('; '), ...done, ...failures];
}

/** For each kind of worker: the results of events at 5 500. An event that is not listed changes nothing. */
const WORKERS: readonly {
  readonly kind: string;
  readonly pool: Pool;
  readonly worker: number;
  readonly before: string;
  readonly events: Readonly<Record<string, readonly string[]>>;
}[] = [
  {
    kind: 'an unknown worker',
    pool: two(),
    worker: 99,
    before: 'w1 ready | w2 ready',
    events: {},
  },
  {
    kind: 'a draining worker',
    pool: after(two(), [5_000, memoryExceeded(1)], [5_200, ready(3)]),
    worker: 1,
    before: 'w3 ready | w2 ready; w1 draining until 6800',
    events: {
      'exits with 0': ['w3 ready | w2 ready'],
      'exits with 1': ['w3 ready | w2 ready'],
      'exits with a stop code': ['w3 ready | w2 ready'],
      'is killed': ['w3 ready | w2 ready'],
    },
  },
  {
    kind: 'a starting worker',
    pool: after(two(), [5_000, exited(1)]),
    worker: 3,
    before: 'w3 starting | w2 ready',
    events: {
      'sends ready': ['w3 ready | w2 ready'],
      'exits with 0': ['backoff until 5600 | w2 ready'],
      'exits with 1': ['backoff until 5600 | w2 ready'],
      'exits with a stop code': ['stopped | w2 ready'],
      'is killed': ['backoff until 5600 | w2 ready'],
    },
  },
  {
    kind: 'a worker that is not yet stable',
    pool: after(two(), [5_000, exited(1)], [5_200, ready(3)]),
    worker: 3,
    before: 'w3 ready | w2 ready',
    events: {
      'exits with 0': ['backoff until 5600 | w2 ready'],
      'exits with 1': ['backoff until 5600 | w2 ready'],
      'exits with a stop code': ['stopped | w2 ready'],
      'is killed': ['backoff until 5600 | w2 ready'],
      'exceeds its memory limit': ['w3 ready, w4 starting | w2 ready', 'fork w4 into 0 (g1)'],
    },
  },
  {
    kind: 'a stable worker',
    pool: two(),
    worker: 1,
    before: 'w1 ready | w2 ready',
    events: {
      'exits with 0': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'exits with 1': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'exits with a stop code': ['stopped | w2 ready'],
      'is killed': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'exceeds its memory limit': ['w1 ready, w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
    },
  },
  {
    kind: 'an old worker whose successor starts',
    pool: after(two(), [5_000, reloadRead()]),
    worker: 1,
    before: 'w1 ready, w3 starting | w2 ready; reload pending',
    events: {
      'exits with 0': ['w3 starting | w2 ready; reload pending'],
      'exits with 1': ['w3 starting | w2 ready; reload pending'],
      'exits with a stop code': ['w3 starting | w2 ready; reload pending'],
      'is killed': ['w3 starting | w2 ready; reload pending'],
    },
  },
  {
    kind: 'an old worker whose successor must prove stable',
    pool: after(two(), [5_000, reloadRead()], [5_200, ready(3)]),
    worker: 1,
    before: 'w1 ready, w3 serving | w2 ready; reload pending',
    events: {
      'exits with 0': ['w3 ready | w2 ready; reload pending'],
      'exits with 1': ['w3 ready | w2 ready; reload pending'],
      'exits with a stop code': ['w3 ready | w2 ready; reload pending'],
      'is killed': ['w3 ready | w2 ready; reload pending'],
    },
  },
  {
    kind: 'a successor that starts',
    pool: after(two(), [5_000, reloadRead()]),
    worker: 3,
    before: 'w1 ready, w3 starting | w2 ready; reload pending',
    events: {
      'sends ready': ['w1 ready, w3 serving | w2 ready; reload pending'],
      'exits with 0': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (code 0) before it was ready',
      ],
      'exits with 1': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (code 1) before it was ready',
      ],
      'exits with a stop code': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (code 7) before it was ready',
      ],
      'is killed': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (signal SIGKILL) before it was ready',
      ],
    },
  },
  {
    kind: 'a successor that must prove stable',
    pool: after(two(), [5_000, reloadRead()], [5_200, ready(3)]),
    worker: 3,
    before: 'w1 ready, w3 serving | w2 ready; reload pending',
    events: {
      'exits with 0': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (code 0) before it had proved stable',
      ],
      'exits with 1': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
      ],
      'exits with a stop code': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (code 7) before it had proved stable',
      ],
      'is killed': [
        'w1 ready | w2 ready',
        'reload.ended aborted: the new worker of slot 0 exited (signal SIGKILL) before it had proved stable',
      ],
    },
  },
  {
    kind: 'an old worker that exceeded its memory limit',
    pool: after(two(), [5_000, memoryExceeded(1)]),
    worker: 1,
    before: 'w1 ready, w3 starting | w2 ready',
    events: {
      'exits with 0': ['w3 starting | w2 ready'],
      'exits with 1': ['w3 starting | w2 ready'],
      'exits with a stop code': ['w3 starting | w2 ready'],
      'is killed': ['w3 starting | w2 ready'],
    },
  },
  {
    kind: 'the successor of a worker that exceeded its memory limit',
    pool: after(two(), [5_000, memoryExceeded(1)]),
    worker: 3,
    before: 'w1 ready, w3 starting | w2 ready',
    events: {
      'sends ready': ['w3 ready | w2 ready; w1 draining until 7100', 'order w1 to retire'],
      'exits with 0': [
        'w1 ready | w2 ready',
        'memory-restart.failed 0: the new worker of slot 0 exited (code 0) before it was ready',
      ],
      'exits with 1': [
        'w1 ready | w2 ready',
        'memory-restart.failed 0: the new worker of slot 0 exited (code 1) before it was ready',
      ],
      'exits with a stop code': [
        'w1 ready | w2 ready',
        'memory-restart.failed 0: the new worker of slot 0 exited (code 7) before it was ready',
      ],
      'is killed': [
        'w1 ready | w2 ready',
        'memory-restart.failed 0: the new worker of slot 0 exited (signal SIGKILL) before it was ready',
      ],
    },
  },
];

describe.each(WORKERS)('$kind', ({ pool, worker, before, events }) => {
  test.each([
    ['sends ready', ready(worker)],
    ['listens', listening(worker)],
    ['reports a failed boot', bootFailed(worker)],
    ['exits with 0', exited(worker, 0)],
    ['exits with 1', exited(worker, 1)],
    ['exits with a stop code', exited(worker, 7)],
    ['is killed', exited(worker, null, 'SIGKILL')],
    ['exceeds its memory limit', memoryExceeded(worker)],
  ])('%s', (name, event) => {
    expect(summarize({ pool, effects: [], notices: [] })).toEqual([before]);
    expect(summarize(step(pool, event, 5_500))).toEqual(events[name] ?? [before]);
  });
});

/** For each state of a slot: the results of events at 5 250. An event that is not listed changes nothing. */
const SLOTS: readonly {
  readonly state: string;
  readonly pool: Pool;
  readonly before: string;
  readonly events: Readonly<Record<string, readonly string[]>>;
}[] = [
  {
    state: 'in backoff',
    pool: after(two(), [5_000, exited(1)], [5_200, exited(3)]),
    before: 'backoff until 5300 | w2 ready',
    events: {
      'a wake at 5 300': ['w4 starting | w2 ready', 'fork w4 into 0 (g1)'],
      'a wake at 60 000': ['w4 starting | w2 ready', 'fork w4 into 0 (g1)'],
      'a reload requested': ['backoff until 5300 | w2 ready', 'load'],
      'a reload read': ['w4 starting | w2 ready; reload pending', 'fork w4 into 0 (g3)'],
      'scale 1': ['backoff until 5300; w2 draining until 6850', 'order w2 to retire'],
      'scale 3': ['backoff until 5300 | w2 ready | w4 starting', 'fork w4 into 2 (g1)'],
      stop: ['w2 draining until 6850; ending', 'order w2 to stop'],
      'stop now': ['w2 draining, killed; ending', 'kill w2'],
    },
  },
  {
    state: 'starting',
    pool: after(two(), [5_000, exited(1)]),
    before: 'w3 starting | w2 ready',
    events: {
      'a wake at 60 000': ['backoff until 60100 | w2 ready; w3 draining until 61600', 'order w3 to retire'],
      'a reload requested': ['w3 starting | w2 ready', 'load'],
      'a reload read': [
        'w4 starting | w2 ready; w3 draining until 6850; reload pending',
        'order w3 to retire',
        'fork w4 into 0 (g3)',
      ],
      'scale 1': ['w3 starting; w2 draining until 6850', 'order w2 to retire'],
      'scale 3': ['w3 starting | w2 ready | w4 starting', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 draining until 6850; w2 draining until 6850; ending',
        'order w3 to stop',
        'order w2 to stop',
      ],
      'stop now': ['w3 draining, killed; w2 draining, killed; ending', 'kill w3', 'kill w2'],
    },
  },
  {
    state: 'ready',
    pool: two(),
    before: 'w1 ready | w2 ready',
    events: {
      'a reload requested': ['w1 ready | w2 ready', 'load'],
      'a reload read': ['w1 ready, w3 starting | w2 ready; reload pending', 'fork w3 into 0 (g3)'],
      'scale 1': ['w1 ready; w2 draining until 6850', 'order w2 to retire'],
      'scale 3': ['w1 ready | w2 ready | w3 starting', 'fork w3 into 2 (g1)'],
      stop: [
        'w1 draining until 6850; w2 draining until 6850; ending',
        'order w1 to stop',
        'order w2 to stop',
      ],
      'stop now': ['w1 draining, killed; w2 draining, killed; ending', 'kill w1', 'kill w2'],
    },
  },
  {
    state: 'replaced in a reload',
    pool: after(two(), [5_000, reloadRead()]),
    before: 'w1 ready, w3 starting | w2 ready; reload pending',
    events: {
      'a wake at 60 000': [
        'w1 ready | w2 ready; w3 draining until 61600',
        'order w3 to retire',
        'reload.ended aborted: the new worker of slot 0 failed to start: not ready within 3000 ms',
      ],
      'a reload requested': ['w1 ready, w3 starting | w2 ready; reload pending, again'],
      'scale 1': ['w1 ready, w3 starting; w2 draining until 6850; reload pending', 'order w2 to retire'],
      'scale 3': ['w1 ready, w3 starting | w2 ready | w4 starting; reload pending', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 draining until 6850; w1 draining until 6850; w2 draining until 6850; ending',
        'order w3 to stop',
        'order w1 to stop',
        'order w2 to stop',
        'reload.ended aborted: the service stops',
      ],
      'stop now': [
        'w3 draining, killed; w1 draining, killed; w2 draining, killed; ending',
        'reload.ended aborted: the service stops',
        'kill w3',
        'kill w1',
        'kill w2',
      ],
    },
  },
  {
    state: 'replaced, and its successor must prove stable',
    pool: after(two(), [5_000, reloadRead()], [5_200, ready(3)]),
    before: 'w1 ready, w3 serving | w2 ready; reload pending',
    events: {
      'a wake at 60 000': [
        'w3 ready | w2 ready, w4 starting; w1 draining until 61600; reload passed',
        'order w1 to retire',
        'fork w4 into 1 (g2)',
      ],
      'a reload requested': ['w1 ready, w3 serving | w2 ready; reload pending, again'],
      'scale 1': ['w1 ready, w3 serving; w2 draining until 6850; reload pending', 'order w2 to retire'],
      'scale 3': ['w1 ready, w3 serving | w2 ready | w4 starting; reload pending', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 draining until 6850; w1 draining until 6850; w2 draining until 6850; ending',
        'order w3 to stop',
        'order w1 to stop',
        'order w2 to stop',
        'reload.ended aborted: the service stops',
      ],
      'stop now': [
        'w3 draining, killed; w1 draining, killed; w2 draining, killed; ending',
        'reload.ended aborted: the service stops',
        'kill w3',
        'kill w1',
        'kill w2',
      ],
    },
  },
  {
    state: 'replaced for its memory',
    pool: after(two(), [5_000, memoryExceeded(1)]),
    before: 'w1 ready, w3 starting | w2 ready',
    events: {
      'a wake at 60 000': [
        'w1 ready | w2 ready; w3 draining until 61600',
        'order w3 to retire',
        'memory-restart.failed 0: the new worker of slot 0 failed to start: not ready within 3000 ms',
      ],
      'a reload requested': ['w1 ready, w3 starting | w2 ready', 'load'],
      'a reload read': ['w1 ready, w3 starting | w2 ready; reload pending'],
      'scale 1': ['w1 ready, w3 starting; w2 draining until 6850', 'order w2 to retire'],
      'scale 3': ['w1 ready, w3 starting | w2 ready | w4 starting', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 draining until 6850; w1 draining until 6850; w2 draining until 6850; ending',
        'order w3 to stop',
        'order w1 to stop',
        'order w2 to stop',
      ],
      'stop now': [
        'w3 draining, killed; w1 draining, killed; w2 draining, killed; ending',
        'kill w3',
        'kill w1',
        'kill w2',
      ],
    },
  },
  {
    state: 'stopped',
    pool: after(two(), [5_000, exited(1, 7)]),
    before: 'stopped | w2 ready',
    events: {
      'a reload requested': ['stopped | w2 ready', 'load'],
      'a reload read': ['w3 starting | w2 ready; reload pending', 'fork w3 into 0 (g3)'],
      'scale 1': ['w3 starting; w2 draining until 6850', 'order w2 to retire', 'fork w3 into 0 (g1)'],
      'scale 2': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'scale 3': ['w3 starting | w2 ready | w4 starting', 'fork w3 into 0 (g1)', 'fork w4 into 2 (g1)'],
      stop: ['w2 draining until 6850; ending', 'order w2 to stop'],
      'stop now': ['w2 draining, killed; ending', 'kill w2'],
    },
  },
  {
    state: 'errored',
    pool: after(
      two(),
      [5_000, exited(1)],
      [5_010, exited(3)],
      [5_110, wake, exited(4)],
      [5_210, wake, exited(5)],
    ),
    before: 'errored | w2 ready',
    events: {
      'a reload requested': ['errored | w2 ready', 'load'],
      'a reload read': ['w6 starting | w2 ready; reload pending', 'fork w6 into 0 (g3)'],
      'scale 1': ['w6 starting; w2 draining until 6850', 'order w2 to retire', 'fork w6 into 0 (g1)'],
      'scale 2': ['w6 starting | w2 ready', 'fork w6 into 0 (g1)'],
      'scale 3': ['w6 starting | w2 ready | w7 starting', 'fork w6 into 0 (g1)', 'fork w7 into 2 (g1)'],
      stop: ['w2 draining until 6850; ending', 'order w2 to stop'],
      'stop now': ['w2 draining, killed; ending', 'kill w2'],
    },
  },
  {
    state: 'ready, its old worker draining',
    pool: after(two(), [5_000, memoryExceeded(1)], [5_200, ready(3)]),
    before: 'w3 ready | w2 ready; w1 draining until 6800',
    events: {
      'a wake at 60 000': ['w3 ready | w2 ready; w1 draining, killed', 'kill w1'],
      'a reload requested': ['w3 ready | w2 ready; w1 draining until 6800', 'load'],
      'a reload read': [
        'w3 ready, w4 starting | w2 ready; w1 draining until 6800; reload pending',
        'fork w4 into 0 (g3)',
      ],
      'scale 1': ['w3 ready; w1 draining until 6800; w2 draining until 6850', 'order w2 to retire'],
      'scale 3': ['w3 ready | w2 ready | w4 starting; w1 draining until 6800', 'fork w4 into 2 (g1)'],
      stop: [
        'w1 draining until 6800; w3 draining until 6850; w2 draining until 6850; ending',
        'order w3 to stop',
        'order w2 to stop',
      ],
      'stop now': [
        'w1 draining, killed; w3 draining, killed; w2 draining, killed; ending',
        'kill w1',
        'kill w3',
        'kill w2',
      ],
    },
  },
];

describe.each(SLOTS)('a slot that is $state', ({ pool, before, events }) => {
  test.each<[string, Event, Millis]>([
    ['a wake too early', wake, 5_250],
    ['a wake at 5 300', wake, 5_300],
    ['a wake at 60 000', wake, 60_000],
    ['a reload requested', reloadRequested, 5_250],
    ['a reload read', reloadRead(3), 5_250],
    ['scale 1', scaled(1), 5_250],
    ['scale 2', scaled(2), 5_250],
    ['scale 3', scaled(3), 5_250],
    ['stop', stop, 5_250],
    ['stop now', stopNow, 5_250],
  ])('%s', (name, event, now) => {
    expect(summarize({ pool, effects: [], notices: [] })).toEqual([before]);
    expect(summarize(step(pool, event, now))).toEqual(events[name] ?? [before]);
  });
});

const EVERY_EVENT: readonly Event[] = [
  wake,
  ready(1),
  listening(1),
  bootFailed(1),
  exited(1),
  memoryExceeded(1),
  draining(1),
  unresponsive(1),
  responsive(1),
  forkFailed(1),
  reloadRequested,
  reloadRead(),
  scaled(4),
  stop,
  stopNow,
];

describe('a service that', () => {
  const ending = after(two(), [5_000, stop]);
  const ended = after(ending, [5_100, exited(1, 0), exited(2, 0)]);

  test.each(EVERY_EVENT.map(event => [event.type, event] as const))(
    'has ended ignores %s',
    (_type, event) => {
      expect(step(ended, event, 6_000)).toEqual({ pool: ended, effects: [], notices: [] });
    },
  );

  test.each(
    EVERY_EVENT.filter(({ type }) => !['worker.exited', 'fork.failed'].includes(type) && type !== 'stop').map(
      event => [event.type, event] as const,
    ),
  )('stops ignores %s', (_type, event) => {
    expect(step(ending, event, 5_200)).toEqual({ pool: ending, effects: [], notices: [] });
  });

  test('stops ignores another stop', () => {
    expect(step(ending, stop, 5_200)).toEqual({ pool: ending, effects: [], notices: [] });
  });

  test('stops ends with the last worker', () => {
    expect(summarize(run(ending, [5_100, exited(1, 0)]))).toEqual(['w2 draining until 6600; ending']);
    expect(summarize(run(ending, [5_100, exited(1, 0), exited(2, 1)]))).toEqual(['ended', 'exit 0']);
  });

  test('stops ends when the fork of its last worker fails', () => {
    expect(summarize(run(ending, [5_100, exited(1, 0), forkFailed(2)]))).toEqual(['ended', 'exit 0']);
  });

  test('stops can still be stopped at once', () => {
    expect(summarize(run(ending, [5_100, stopNow]))).toEqual([
      'w1 draining, killed; w2 draining, killed; ending',
      'kill w1',
      'kill w2',
    ]);
  });

  test('has no worker yet stops at once', () => {
    expect(summarize(run(createPool(LIMITED, 2), [0, stop]))).toEqual(['ended', 'exit 0']);
  });
});

describe('a vacant slot', () => {
  test('is filled by the first wake', () => {
    expect(summarize(run(createPool(LIMITED, 2), [0, wake]))).toEqual([
      'w1 starting | w2 starting',
      'fork w1 into 0 (g1)',
      'fork w2 into 1 (g1)',
    ]);
  });

  test('counts a restart only where a worker had exited', () => {
    const pool = after(two(), [5_000, exited(1), scaled(3)]);
    expect(pool.slots.map(({ history }) => history.restarts)).toEqual([1, 0, 0]);
  });

  test('that was removed and added again has a new history', () => {
    const pool = after(two(), [5_000, exited(2), scaled(1), scaled(2)]);
    expect(pool.slots[1]?.history).toMatchObject({ restarts: 0, unstable: 0, exits: [] });
  });
});

describe('a fork that fails', () => {
  test('is retried after 100, 150, 225 … ms, and is no unstable exit', () => {
    let pool = two();
    let now = 5_000;
    pool = after(pool, [now, exited(1)]);
    const pauses: Millis[] = [];
    for (let worker = 3; worker < 8; worker++) {
      pool = after(pool, [now, forkFailed(worker)]);
      const at = nextWake(pool) ?? 0;
      pauses.push(at - now);
      now = at;
      pool = after(pool, [now, wake]);
    }
    expect(pauses).toEqual([100, 150, 225, 337, 505]);
    expect(pool.slots[0]?.history).toMatchObject({ unstable: 0, forkFailures: 5 });
  });

  test('is no longer counted once a fork has succeeded', () => {
    const pool = after(two(), [5_000, exited(1), forkFailed(3)], [5_100, wake, exited(4)]);
    expect(pool.slots[0]).toMatchObject({ at: 'backoff', history: { unstable: 1, forkFailures: 0 } });
  });

  test('aborts a reload if it is the successor', () => {
    expect(summarize(run(two(), [5_000, reloadRead(), forkFailed(3)]))).toEqual([
      'w1 ready | w2 ready',
      'fork w3 into 0 (g2)',
      'reload.ended aborted: the new worker of slot 0 failed to start: spawn EAGAIN',
    ]);
  });

  test('aborts a reload if the slot had no worker', () => {
    const stopped = after(two(), [5_000, exited(1, 7)]);
    expect(summarize(run(stopped, [5_100, reloadRead(), forkFailed(3)]))).toEqual([
      'backoff until 5200 | w2 ready',
      'fork w3 into 0 (g2)',
      'reload.ended aborted: the new worker of slot 0 failed to start: spawn EAGAIN',
    ]);
  });

  test('does not abort a reload if it is not part of it', () => {
    expect(summarize(run(two(), [5_000, reloadRead(), exited(2), forkFailed(4)]))).toEqual([
      'w1 ready, w3 starting | backoff until 5100; reload pending',
      'fork w3 into 0 (g2)',
      'fork w4 into 1 (g1)',
    ]);
  });

  test('keeps a worker that exceeded its memory limit', () => {
    expect(summarize(run(two(), [5_000, memoryExceeded(1), forkFailed(3)]))).toEqual([
      'w1 ready | w2 ready',
      'fork w3 into 0 (g1)',
      'memory-restart.failed 0: the new worker of slot 0 failed to start: spawn EAGAIN',
    ]);
  });

  test('of an unknown worker changes nothing', () => {
    expect(step(two(), forkFailed(99), 5_000)).toEqual({
      pool: two(),
      effects: [],
      notices: [{ type: 'fork.failed', message: 'spawn EAGAIN' }],
    });
  });
});

describe('readiness', () => {
  const starting = (policy: Partial<Policy>): Pool =>
    after(createPool({ ...LIMITED, ...policy }, 1), [0, wake]);

  test('is the message "ready", with and without wait_ready', () => {
    for (const waitReady of [true, false])
      expect(summarize(run(starting({ waitReady }), [50, ready(1)]))).toEqual(['w1 ready']);
  });

  test('is the first "listening" only without wait_ready', () => {
    expect(summarize(run(starting({ waitReady: true }), [50, listening(1)]))).toEqual(['w1 starting']);
    expect(summarize(run(starting({ waitReady: false }), [50, listening(1)]))).toEqual(['w1 ready']);
  });

  test('comes at listen_timeout without wait_ready; with it the start has failed', () => {
    expect(summarize(run(starting({ waitReady: false }), [2_999, wake]))).toEqual(['w1 starting']);
    expect(summarize(run(starting({ waitReady: false }), [3_000, wake]))).toEqual(['w1 ready']);
    expect(summarize(run(starting({ waitReady: true }), [2_999, wake]))).toEqual(['w1 starting']);
    expect(summarize(run(starting({ waitReady: true }), [3_000, wake]))).toEqual([
      'backoff until 3100; w1 draining until 4600',
      'order w1 to retire',
    ]);
  });

  test('counts from the first message', () => {
    const pool = after(starting({}), [50, ready(1)], [900, ready(1)]);
    expect(pool.slots[0]).toMatchObject({ worker: { since: 50 } });
  });

  test("of a successor is judged by its own generation's policy", () => {
    const begun = after(two(), [5_000, reloadRead(2, { ...LIMITED, waitReady: false })]);
    expect(summarize(run(begun, [5_100, listening(3)]))).toEqual([
      'w1 ready, w3 serving | w2 ready; reload pending',
    ]);
    expect(summarize(run(begun, [8_000, wake]))).toEqual(['w1 ready, w3 serving | w2 ready; reload pending']);
  });

  test('comes too late for a worker that drains', () => {
    const late = after(starting({ waitReady: true }), [3_000, wake]);
    expect(step(late, ready(1), 3_050)).toEqual({ pool: late, effects: [], notices: [] });
  });

  test('at the deadline, or after a pause of the machine, still counts', () => {
    expect(summarize(run(starting({}), [3_000, ready(1)]))).toEqual(['w1 ready']);
    expect(summarize(run(starting({}), [3_600_000, ready(1)]))).toEqual(['w1 ready']);
  });

  test('of several workers is judged at the same time', () => {
    const pool = after(createPool(LIMITED, 3), [0, wake], [100, ready(2)]);
    expect(summarize(run(pool, [3_000, wake]))).toEqual([
      'backoff until 3100 | w2 ready | backoff until 3100; w1 draining until 4600; w3 draining until 4600',
      'order w1 to retire',
      'order w3 to retire',
    ]);
  });

  test('that fails in two slots of one reload aborts it once', () => {
    const policy = { ...LIMITED, minUptimeMs: 100 };
    // Slot 0 has its new worker, which crashes once it is stable, while slot 1 is being replaced.
    const pool = after(
      two(policy),
      [5_000, reloadRead(2, policy)],
      [5_100, ready(3)],
      [5_200, wake, exited(1, 0)],
    );
    expect(summarize(run(pool, [5_300, exited(3)], [9_000, wake]))).toEqual([
      'backoff until 9100 | w2 ready; w5 draining until 10600; w4 draining until 10600',
      'fork w5 into 0 (g2)',
      'order w5 to retire',
      'order w4 to retire',
      'reload.ended aborted: the new worker of slot 0 failed to start: not ready within 3000 ms',
    ]);
  });
});

describe('a reported failure of the boot', () => {
  test('is part of the exit', () => {
    const pool = after(two(), [5_000, exited(1), bootFailed(3), exited(3)]);
    expect(pool.slots[0]?.history.exits[0]).toEqual({
      worker: 3,
      code: 1,
      signal: null,
      cause: { type: 'boot-failed', code: 1, message: 'no database' },
    });
  });

  test('is part of the end of a reload', () => {
    expect(summarize(run(two(), [5_000, reloadRead(), bootFailed(3), exited(3)]))).toContain(
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it was ready: no database',
    );
  });

  test('of a worker that its watchdog kills is that it hung', () => {
    const pool = after(two(), [5_000, hung(1), exited(1, null, 'SIGKILL')]);
    expect(pool.slots[0]?.history.exits[0]).toMatchObject({
      signal: 'SIGKILL',
      cause: { type: 'hung', blockedMs: 60_000 },
    });
  });

  test('is not changed by the watchdog of a worker that has not started', () => {
    const starting = after(two(), [5_000, exited(1)], [5_200, wake]);
    expect(after(starting, [5_300, hung(3)])).toEqual(starting);
  });

  test('is dropped when the worker becomes ready', () => {
    const pool = after(two(), [5_000, exited(1), bootFailed(3), ready(3)], [5_100, exited(3)]);
    expect(pool.slots[0]?.history.exits[0]).toMatchObject({ worker: 3, cause: undefined });
  });
});

describe('min_uptime of an app without wait_ready', () => {
  const plain = { waitReady: false, listenTimeoutMs: 3_000 };
  const first = after(createPool({ ...LIMITED, ...plain }, 1), [0, wake]);

  test('counts from the fork: an app that never listens may exit again and again', () => {
    let pool = first;
    for (let worker = 1; worker <= 20; worker++) pool = after(pool, [worker * 1_000, exited(worker)]);
    expect(pool).toMatchObject({ everReady: false, slots: [{ at: 'starting', history: { unstable: 0 } }] });
  });

  test('counts from the fork for one that listens as well', () => {
    const pool = after(first, [999, listening(1)], [1_000, exited(1)]);
    expect(pool.slots[0]).toMatchObject({ at: 'starting', history: { unstable: 0 } });
  });

  test('is not reached by one that exits sooner', () => {
    expect(after(first, [999, exited(1)]).slots[0]).toMatchObject({ history: { unstable: 1 } });
  });

  test('does not make a success of a reload whose workers exit before they are ready', () => {
    const old = after(createPool({ ...LIMITED, ...plain }, 2), [0, wake, listening(1), listening(2)]);
    const read = reloadRead(2, { ...LIMITED, ...plain });
    // The canary in slot 0 is trusted at 6 200; slot 1 has no other worker than the new one.
    const trusted = after(old, [5_000, exited(2, 7), read], [5_200, listening(3)], [6_200, wake]);
    const { effects } = run(trusted, [8_000, exited(4)]);
    expect(effects.map(describeEffect)).toContain(
      'reload.ended aborted: the new worker of slot 1 exited (code 1) before it was ready',
    );
  });
});

describe('the exits that a slot remembers', () => {
  /** The workers, the newest exit first. */
  const workersIn = (pool: Pool): number[] | undefined =>
    pool.slots[0]?.history.exits.map(({ worker }) => worker);

  test('are the last ten', () => {
    let pool = two({ maxRestarts: 100 });
    for (let worker = 1; pool.lastWorker < 14; worker = pool.lastWorker)
      pool = after(pool, [5_000 + worker * 1_000, exited(worker)], [5_500 + worker * 1_000, wake]);
    expect(workersIn(pool)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
  });

  test('tell how a worker ended that was ordered to, once it has', () => {
    const late = after(two(), [5_000, exited(1)], [8_000, wake]);
    const timeout = { worker: 3, cause: { type: 'start-timeout' } };
    expect(late.slots[0]?.history.exits[0]).toMatchObject({ ...timeout, code: null, signal: null });
    const killed = after(late, [9_600, wake], [9_601, exited(3, null, 'SIGKILL')]);
    expect(killed.slots[0]?.history.exits[0]).toMatchObject({ ...timeout, code: null, signal: 'SIGKILL' });
  });

  test('tell how a worker ended that drained without an order, not how it meant to', () => {
    const pool = after(two(), [5_000, draining(1, 1)], [6_600, wake], [6_601, exited(1, null, 'SIGKILL')]);
    expect(pool.slots[0]?.history.exits).toMatchObject([{ worker: 1, code: null, signal: 'SIGKILL' }]);
  });

  test('are not those of retired workers', () => {
    const pool = after(two(), [5_000, reloadRead()], [5_200, ready(3)], [6_200, wake, exited(1, 0)]);
    expect(workersIn(pool)).toEqual([]);
  });

  test('are forgotten with their slot', () => {
    const pool = after(two(), [5_000, draining(2, 1)], [5_100, scaled(1)], [5_200, exited(2, 1)]);
    expect(pool.slots.map(({ history }) => history.exits)).toEqual([[]]);
  });
});

describe('a worker that the kernel has killed for want of memory', () => {
  const killed: Event = { ...exited(1, null, 'SIGKILL'), outOfMemory: true } as Event;

  test('is reported, and remembered', () => {
    const { pool, notices } = run(two(), [5_000, killed]);
    expect(notices).toMatchObject([
      { type: 'worker.exited', worker: 1, signal: 'SIGKILL' },
      { type: 'worker.out-of-memory', worker: 1 },
    ]);
    expect(pool.slots[0]?.history.exits).toMatchObject([{ worker: 1, cause: { type: 'out-of-memory' } }]);
  });
});

describe('a worker that exceeds its memory limit', () => {
  test('is replaced again at once if it was below it when it became ready', () => {
    const pool = after(two(), [5_000, memoryExceeded(1)], [5_100, ready(3), exited(1, 0)]);
    expect(summarize(run(pool, [5_200, memoryExceeded(3, true)]))).toContain('fork w4 into 0 (g1)');
  });

  test('counts as a restart once it is replaced, and its exit is remembered with both sizes', () => {
    const starting = after(two(), [5_000, memoryExceeded(1)]);
    expect(starting.slots[0]?.history).toMatchObject({ restarts: 0, exits: [] });
    const pool = after(starting, [5_100, ready(3)], [5_200, exited(1, 0)]);
    const cause = { type: 'memory-limit', bytes: 231 * 2 ** 20, limitBytes: 150 * 2 ** 20 };
    expect(pool.slots[0]?.history).toMatchObject({
      restarts: 1,
      restartedAt: [],
      exits: [{ worker: 1, code: 0, signal: null, cause }],
    });
  });

  test('is replaced only while no other worker is', () => {
    const pool = after(two(), [5_000, memoryExceeded(1)]);
    expect(step(pool, memoryExceeded(2), 5_100)).toEqual({ pool, effects: [], notices: [] });
  });

  test('is not replaced during a reload, which replaces it', () => {
    const pool = after(two(), [5_000, reloadRead()]);
    expect(step(pool, memoryExceeded(2), 5_100)).toEqual({ pool, effects: [], notices: [] });
  });

  test('is replaced at most once a minute', () => {
    const pool = after(two(), [5_000, memoryExceeded(1)], [5_100, ready(3), exited(1, 0)]);
    expect(step(pool, memoryExceeded(3), 64_999)).toEqual({ pool, effects: [], notices: [] });
    expect(summarize(run(pool, [65_000, memoryExceeded(3)]))).toContain('fork w4 into 0 (g1)');
  });

  test('leaves its slot to its successor if it crashes', () => {
    expect(summarize(run(two(), [5_000, memoryExceeded(1)], [5_100, exited(1)], [5_200, ready(3)]))).toEqual([
      'w3 ready | w2 ready',
      'fork w3 into 0 (g1)',
    ]);
  });

  test('delays a reload until it is replaced', () => {
    expect(
      summarize(run(two(), [5_000, memoryExceeded(1)], [5_100, reloadRead()], [5_200, ready(3)])),
    ).toEqual([
      'w3 ready, w4 starting | w2 ready; w1 draining until 6800; reload pending',
      'fork w3 into 0 (g1)',
      'order w1 to retire',
      'fork w4 into 0 (g2)',
    ]);
  });
});

describe('a worker that drains without an order', () => {
  test('gives up its slot at once, is replaced like one that exited, and gets no order', () => {
    expect(summarize(run(two(), [5_000, draining(1)]))).toEqual([
      'w3 starting | w2 ready; w1 draining until 6600',
      'fork w3 into 0 (g1)',
    ]);
  });

  test('is replaced after a delay if it was not stable', () => {
    const young = after(createPool(LIMITED, 2), [0, wake, ready(1), ready(2)]);
    expect(summarize(run(young, [500, draining(1)]))).toEqual([
      'backoff until 600 | w2 ready; w1 draining until 2100',
    ]);
  });

  test('stops the slot if the code it announces is one of stop_exit_codes', () => {
    const { pool } = run(two(), [5_000, draining(1, 7)]);
    expect(pool.slots[0]).toMatchObject({ at: 'stopped', exit: { worker: 1, code: 7 } });
  });

  test('is killed at kill_timeout; its exit changes nothing else', () => {
    const { pool } = run(two(), [5_000, draining(1)], [5_200, ready(3)]);
    expect(summarize(run(pool, [6_600, wake]))).toEqual([
      'w3 ready | w2 ready; w1 draining, killed',
      'kill w1',
    ]);
    expect(summarize(run(pool, [6_000, exited(1)]))).toEqual(['w3 ready | w2 ready']);
  });

  test('does not end the service before it has exited', () => {
    const pool = after(createPool({ ...LIMITED, autorestart: false }, 1), [0, wake, ready(1)]);
    const alone = after(pool, [5_000, draining(1, 0)]);
    expect(alone).toMatchObject({ verdict: { code: 0 }, ended: false });
    expect(summarize(run(alone, [5_500, exited(1, 0)])).at(-1)).toBe('exit 0');
  });

  test('aborts a reload if it is the canary, and the old worker stays', () => {
    const replacing = after(two(), [5_000, reloadRead()], [5_200, ready(3)]);
    expect(summarize(run(replacing, [5_300, draining(3)]))).toEqual([
      'w1 ready | w2 ready; w3 draining until 6900',
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
    ]);
  });

  test('leaves its slot to its successor', () => {
    const replacing = after(two(), [5_000, reloadRead()], [5_200, ready(3)]);
    expect(after(replacing, [5_300, draining(1)]).slots[0]).toMatchObject({ at: 'ready', worker: { id: 3 } });
  });

  test('changes nothing if it has got an order before', () => {
    const stopping = after(two(), [5_000, stop]);
    expect(step(stopping, draining(1), 5_100)).toEqual({ pool: stopping, effects: [], notices: [] });
  });
});

describe('a worker that does not exit', () => {
  const overdue = after(two(), [5_000, scaled(1)]);

  test('is killed at kill_timeout, not before, and once', () => {
    expect(summarize(run(overdue, [6_599, wake]))).toEqual(['w1 ready; w2 draining until 6600']);
    expect(summarize(run(overdue, [6_600, wake], [9_000, wake]))).toEqual([
      'w1 ready; w2 draining, killed',
      'kill w2',
    ]);
  });

  test('is killed alone if the others still have time', () => {
    expect(after(two(), [5_000, scaled(1)], [5_100, stop], [6_610, wake]).draining).toMatchObject([
      { id: 2, deadline: undefined },
      { id: 1, deadline: 6_700 },
    ]);
  });

  test('is not killed if it exits at the deadline', () => {
    expect(summarize(run(overdue, [6_600, exited(2, 0)]))).toEqual(['w1 ready']);
  });
});

describe('a reload', () => {
  const begun = after(two(), [5_000, reloadRead()], [5_200, ready(3)]);
  const passed = after(begun, [6_200, wake]);

  test('that is requested twice while one runs runs once more', () => {
    const again = after(begun, [5_300, reloadRequested]);
    expect(again.reloadAgain).toBe(true);
    expect(step(again, reloadRequested, 5_400)).toEqual({ pool: again, effects: [], notices: [] });
    const over = after(again, [6_200, wake, exited(1, 0)], [6_400, ready(4)]);
    expect(summarize(run(over, [6_500, exited(2, 0)]))).toEqual([
      'w3 ready | w4 ready',
      'reload.ended well',
      'load',
    ]);
  });

  test('is read again if another was requested while the app file was read', () => {
    const loading = after(two(), [5_000, reloadRequested]);
    expect(loading.loading).toBe(true);
    const { pool, effects, notices } = step(loading, reloadRequested, 5_050);
    expect([pool.reloadAgain, effects, notices]).toEqual([true, [], [{ type: 'reload.queued' }]]);
    expect(summarize(step(pool, reloadRefused, 5_100))).toEqual(['w1 ready | w2 ready', 'load']);
  });

  test('changes nothing if the app file is invalid', () => {
    const { pool, effects } = run(two(), [5_000, reloadRequested, reloadRefused]);
    expect([pool, effects]).toEqual([two(), [{ type: 'load' }]]);
  });

  test('trusts its canary after min_uptime', () => {
    expect(summarize(run(begun, [6_199, wake]))).toEqual(['w1 ready, w3 serving | w2 ready; reload pending']);
    expect(summarize(run(begun, [6_200, wake]))).toEqual([
      'w3 ready | w2 ready, w4 starting; w1 draining until 7800; reload passed',
      'order w1 to retire',
      'fork w4 into 1 (g2)',
    ]);
  });

  test("trusts its canary by the new file's min_uptime", () => {
    const slow = after(two(), [5_000, reloadRead(2, { ...LIMITED, minUptimeMs: 4_000 })], [5_200, ready(3)]);
    expect(nextWake(slow)).toBe(9_200);
    expect(after(slow, [9_200, wake]).policy.minUptimeMs).toBe(4_000);
  });

  test('keeps policy, generation and number of workers until the canary is trusted', () => {
    const pending = after(
      two(),
      [5_000, reloadRead(2, { ...LIMITED, maxRestarts: 9 }, 4)],
      [5_200, ready(3)],
    );
    expect(pending).toMatchObject({ generation: 1, wanted: 2, fromFile: 2, policy: LIMITED });
    expect(after(pending, [6_200, wake])).toMatchObject({
      generation: 2,
      wanted: 4,
      fromFile: 4,
      policy: { maxRestarts: 9 },
    });
  });

  test('keeps the number that was set by scale unless the app file has changed its own', () => {
    const scaledUp = after(two(), [4_000, scaled(3)], [4_100, ready(3)]);
    const renewed = (instances: number): number =>
      after(scaledUp, [5_000, reloadRead(2, LIMITED, instances)], [5_200, ready(4)], [6_200, wake]).wanted;
    expect(renewed(2)).toBe(3);
    expect(renewed(1)).toBe(1);
  });

  test('needs one canary only', () => {
    expect(summarize(run(passed, [6_300, ready(4)]))).toEqual([
      'w3 ready | w4 ready; w1 draining until 7800; w2 draining until 7900; reload passed',
      'order w2 to retire',
    ]);
  });

  test('ends when the last old worker has exited', () => {
    const served = after(passed, [6_300, ready(4), exited(2, 0)]);
    expect(summarize(run(served, [6_400, exited(1, 0)]))).toEqual([
      'w3 ready | w4 ready',
      'reload.ended well',
    ]);
  });

  test('ends although a worker of the new generation still drains', () => {
    const served = after(passed, [6_300, ready(4), scaled(1), exited(1, 0)]);
    expect(summarize(run(served, [6_400, exited(2, 0)]))).toEqual([
      'w3 ready; w4 draining until 7900',
      'reload.ended well',
    ]);
  });

  test('is aborted by a later successor, too; replaced workers stay', () => {
    expect(summarize(run(passed, [6_300, exited(4)]))).toEqual([
      'w3 ready | w2 ready; w1 draining until 7800',
      'reload.ended aborted: the new worker of slot 1 exited (code 1) before it was ready',
    ]);
  });

  test('continues when a stable new worker exits, and is aborted when an unstable one does', () => {
    expect(summarize(run(passed, [6_200, exited(3)]))).toContain('fork w5 into 0 (g2)');
    const unstable = after(begun, [5_300, exited(1)]);
    expect(summarize(run(unstable, [5_400, exited(3)]))).toEqual([
      'backoff until 5500 | w2 ready',
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
    ]);
  });

  test('continues when an old worker exits, which is replaced', () => {
    expect(summarize(run(begun, [5_300, exited(2)]))).toEqual([
      'w1 ready, w3 serving | w4 starting; reload pending',
      'fork w4 into 1 (g1)',
    ]);
    expect(summarize(run(after(begun, [6_100, exited(2)]), [6_200, wake]))).toEqual([
      'w3 ready | w5 starting; w1 draining until 7800; w4 draining until 7800; reload passed',
      'order w1 to retire',
      'order w4 to retire',
      'fork w5 into 1 (g2)',
    ]);
  });

  test('replaces crashed workers with the new build once the canary is trusted', () => {
    const third = after(passed, [6_300, ready(4), exited(1, 0)]);
    expect(summarize(run(third, [7_300, exited(4)]))).toContain('fork w5 into 1 (g2)');
  });

  test('is aborted if its canary exits after min_uptime but before the wake', () => {
    // The timer may be late: no `wake` came between 6 200 and the exit.
    expect(summarize(run(begun, [6_250, exited(3)]))).toContain(
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
    );
    const alone = after(begun, [5_300, exited(1)]);
    expect(summarize(run(alone, [6_250, exited(3)]))).toEqual([
      'w4 starting | w2 ready',
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
      'fork w4 into 0 (g1)',
    ]);
  });

  test('forks the new build into a slot whose backoff is over', () => {
    const due = after(two(), [5_000, exited(1)], [5_200, exited(3)]);
    expect(summarize(run(due, [5_300, reloadRead()]))).toEqual([
      'w4 starting | w2 ready; reload pending',
      'fork w4 into 0 (g2)',
    ]);
  });

  test('resets counters, and so does scale', () => {
    const shaky = after(two(), [5_000, exited(1)], [5_200, exited(3)], [5_300, wake, exited(4)]);
    expect(shaky.slots[0]?.history).toMatchObject({ unstable: 2, restarts: 2 });
    expect(after(shaky, [5_350, reloadRead()]).slots[0]?.history).toMatchObject({ unstable: 0, restarts: 2 });
    const errored = after(shaky, [5_400, wake, exited(5)]);
    expect(errored.slots[0]).toMatchObject({ at: 'errored', history: { unstable: 3 } });
    expect(after(errored, [6_000, scaled(2)]).slots[0]?.history).toMatchObject({ unstable: 0 });
  });

  test('resets counters of a slot that a successor takes over', () => {
    const shaky = after(two(), [5_000, exited(1)], [5_200, exited(3)], [5_300, wake, ready(4)]);
    const taken = after(shaky, [5_400, memoryExceeded(4)], [5_500, exited(4)]);
    expect(taken.slots[0]).toMatchObject({ at: 'starting', worker: { id: 5 }, history: { unstable: 0 } });
  });

  test('that is read while another one runs is ignored', () => {
    expect(step(begun, reloadRead(3), 5_300)).toEqual({ pool: begun, effects: [], notices: [] });
  });

  test('is ignored once the service stops', () => {
    const ending = after(two(), [5_000, stop]);
    expect(step(ending, reloadRequested, 5_100)).toEqual({ pool: ending, effects: [], notices: [] });
  });

  test('that is queued is dropped when the service stops', () => {
    expect(summarize(run(after(begun, [5_300, reloadRequested]), [5_400, stop]))).not.toContain('load');
  });
});

describe('a job, whose workers end by themselves', () => {
  const policy: Policy = { ...LIMITED, waitReady: false, autorestart: false, isJob: true };
  const job = (instances: number): Pool => after(createPool(policy, instances), [0, wake]);
  const done = after(job(2), [300, exited(1, 0), exited(2, 0)]);
  const again = (instances: number): Event => reloadRead(2, policy, instances);

  test('waits for its next time, however the last one ended', () => {
    expect(done).toMatchObject({ verdict: undefined, slots: [{ at: 'stopped' }, { at: 'stopped' }] });
    expect(after(job(1), [300, exited(1, 1)]).verdict).toBeUndefined();
  });

  test('runs slot after slot in a reload, and each run that ends with 0 is a success', () => {
    expect(summarize(run(done, [5_000, again(2)]))).toEqual([
      'w3 starting | stopped; reload pending',
      'fork w3 into 0 (g2)',
    ]);
    expect(summarize(run(done, [5_000, again(2)], [5_300, exited(3, 0)]))).toEqual([
      'stopped | w4 starting; reload passed',
      'fork w3 into 0 (g2)',
      'fork w4 into 1 (g2)',
    ]);
    expect(summarize(run(done, [5_000, again(2)], [5_300, exited(3, 0)], [5_600, exited(4, 0)]))).toEqual([
      'stopped | stopped',
      'fork w3 into 0 (g2)',
      'fork w4 into 1 (g2)',
      'reload.ended well',
    ]);
  });

  test('may take longer than a canary takes to be trusted', () => {
    const long = after(done, [5_000, again(2)], [8_000, wake], [8_500, exited(3, 0)]);
    expect(long).toMatchObject({ generation: 2, reload: { canary: 'passed' } });
  });

  test('aborts the reload if a run fails', () => {
    expect(summarize(run(done, [5_000, again(2)], [5_300, exited(3, 1)])).at(-1)).toMatch(
      /^reload\.ended aborted/,
    );
  });

  test('does not touch a run that is longer than the next one', () => {
    const both = after(job(1), [3_000, wake], [5_000, again(1)]);
    expect(summarize(run(both, [5_300, exited(2, 0)]))[0]).toBe('w1 ready');
  });

  test('ends with a stop', () => {
    expect(summarize(run(done, [5_000, stop]))).toEqual(['ended', 'exit 0']);
  });
});

describe('the service ends', () => {
  const never = (policy: Partial<Policy> = {}): Pool =>
    after(createPool({ ...LIMITED, ...policy }, 2), [0, wake]);
  const strict: Partial<Policy> = { maxRestarts: 1, stopExitCodes: [0, 5, 6, 7] };
  const stops = (first: number, second: number): TimedEvents => [9_000, exited(1, first), exited(2, second)];
  const announced = (first: number, second: number): readonly TimedEvents[] => [
    [5_000, exited(1), exited(2)],
    [5_100, bootFailed(3, first), bootFailed(4, second), exited(3, first), exited(4, second)],
  ];

  test.each<[string, number, Pool, readonly TimedEvents[]]>([
    ['every slot stopped, having exited with 0', 0, two(strict), [stops(0, 0)]],
    ['every slot stopped, one of them not with 0', 4, two(strict), [stops(0, 7)]],
    [
      'every slot stopped, a worker killed by a signal',
      4,
      two({ autorestart: false }),
      [[9_000, exited(1, null, 'SIGSEGV'), exited(2, 0)]],
    ],
    ['every slot errored, and no worker was ever ready', 3, never(strict), [[100, exited(1), exited(2)]]],
    [
      'every slot errored with 0, and no worker was ever ready',
      3,
      never({ maxRestarts: 1 }),
      [[100, exited(1, 0), exited(2, 0)]],
    ],
    [
      'every slot errored, and some worker had been ready',
      4,
      never({ maxRestarts: 1 }),
      [[100, ready(1), exited(1), exited(2)]],
    ],
    [
      'one slot errored, one stopped with 0, and none was ever ready',
      4,
      never(strict),
      [[100, exited(1), exited(2, 0)]],
    ],
    ['an invalid configuration in every slot that had served', 5, two(strict), announced(5, 5)],
    ['a taken port in every slot that had served', 6, two(strict), announced(6, 6)],
    ['both of them', 4, two(strict), announced(5, 6)],
    ['exit code 5 without a report', 4, two(strict), [stops(5, 5)]],
    [
      'an invalid configuration at the first start',
      5,
      never(),
      [[100, bootFailed(1, 5), exited(1, 5), exited(2, 5)]],
    ],
    ['a taken port at the first start', 6, never(), [[100, bootFailed(1, 6), exited(1, 6), exited(2, 6)]]],
    [
      'a taken port at the first start of a program that exits with 1',
      6,
      never(),
      [[100, bootFailed(1, 6), exited(1, 1), exited(2, 1)]],
    ],
  ])('%s: exit code %i', (_name, code, pool, events) => {
    const { pool: over, effects } = run(pool, ...events);
    expect(over.ended).toBe(true);
    expect(effects.at(-1)).toMatchObject({ type: 'exit', verdict: { code } });
  });

  test('with the exit that caused it', () => {
    expect(after(two(strict), stops(0, 7)).verdict?.exit).toMatchObject({ worker: 2, code: 7 });
    expect(after(never({ maxRestarts: 1 }), [100, exited(1, 0), exited(2, 0)]).verdict?.exit).toMatchObject({
      worker: 1,
      code: 0,
    });
  });

  test('at the first failure that no restart cures, and the other workers drain', () => {
    expect(summarize(run(never(), [100, bootFailed(1, 5), exited(1, 5)]))).toEqual([
      'w2 draining until 1700; ending',
      'order w2 to stop',
    ]);
  });

  test.each<[string, readonly Event[]]>([
    ['another code than the announced failures', [bootFailed(1, 1), exited(1, 1)]],
    ['such a code without a report', [exited(1, 5)]],
    ['such a report and a signal', [bootFailed(1, 5), exited(1, null, 'SIGKILL')]],
    ['such a failure once the service has served', [ready(2), bootFailed(1, 5), exited(1, 5)]],
  ])('but not for %s', (_name, events) => {
    expect(after(never(), [100, ...events]).verdict).toBeUndefined();
  });

  test('after the last draining worker has exited', () => {
    const pool = after(createPool({ ...LIMITED, maxRestarts: 1 }, 1), [0, wake], [3_000, wake]);
    expect(summarize({ pool, effects: [], notices: [] })).toEqual([
      'errored; w1 draining until 4600; ending',
    ]);
    expect(summarize(run(pool, [3_100, exited(1, 0)]))).toEqual(['errored; ended', 'exit 3']);
  });

  test('not while another slot may still serve', () => {
    expect(after(never(strict), [100, exited(1)]).verdict).toBeUndefined();
  });

  test('without another reload that was queued', () => {
    const policy = { ...LIMITED, autorestart: false };
    // The old worker drains slowly; meanwhile another reload is requested and the new worker exits.
    const alone = after(createPool(policy, 1), [0, wake, ready(1)]);
    const late = after(
      alone,
      [5_000, reloadRead(2, policy, 1)],
      [5_200, ready(2)],
      [6_200, wake, reloadRequested],
    );
    expect(summarize(run(late, [7_300, exited(2, 0)], [7_400, exited(1, 0)]))).toEqual([
      'stopped; ended',
      'reload.ended well',
      'exit 0',
    ]);
  });
});
