/**
 * Every transition of the pure core, one short test each: what `step` makes of a pool when something happens to it.
 * Pools are brought about by events alone, so that no test begins in a state that cannot be reached.
 */
import type { Event, Millis, Outcome, Policy, Pool, Slot } from '../../../src/supervisor/core/model.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import { nextWake } from '../../../src/supervisor/core/wake.js';
import { describeEffect, describeNotice } from '../../support/world.js';
import {
  after,
  asked,
  unusable,
  EDGES,
  exited,
  failed,
  grown,
  drains,
  heard,
  listening,
  play,
  read,
  ready,
  refused,
  scaled,
  silent,
  stop,
  stopNow,
  two,
  wake,
  type Happening,
} from './happenings.js';

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

/** The pool in a line, then every effect; loans are left out, for they have tests of their own. */
function tell({ pool, effects, notices }: Outcome): string[] {
  const parts = [
    pool.slots.map(describeSlot).join(' | '),
    ...pool.draining.map(
      ({ id, deadline }) => `w${id} leaving ${deadline === undefined ? 'killed' : `until ${deadline}`}`,
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

/** Who something happens to at 5 500, and what comes of it; an event that is not listed changes nothing. */
const WORKERS: readonly {
  readonly who: string;
  readonly pool: Pool;
  readonly worker: number;
  readonly before: string;
  readonly events: Readonly<Record<string, readonly string[]>>;
}[] = [
  {
    who: 'an unknown worker',
    pool: two(),
    worker: 99,
    before: 'w1 ready | w2 ready',
    events: {},
  },
  {
    who: 'a draining worker',
    pool: after(two(), [5_000, grown(1)], [5_200, ready(3)]),
    worker: 1,
    before: 'w3 ready | w2 ready; w1 leaving until 6800',
    events: {
      'exits with 0': ['w3 ready | w2 ready'],
      'exits with 1': ['w3 ready | w2 ready'],
      'exits with a stop code': ['w3 ready | w2 ready'],
      'is killed': ['w3 ready | w2 ready'],
    },
  },
  {
    who: 'a starting worker',
    pool: after(two(), [5_000, exited(1)]),
    worker: 3,
    before: 'w3 starting | w2 ready',
    events: {
      'says ready': ['w3 ready | w2 ready'],
      'exits with 0': ['backoff until 5600 | w2 ready'],
      'exits with 1': ['backoff until 5600 | w2 ready'],
      'exits with a stop code': ['stopped | w2 ready'],
      'is killed': ['backoff until 5600 | w2 ready'],
    },
  },
  {
    who: 'a worker that is not yet stable',
    pool: after(two(), [5_000, exited(1)], [5_200, ready(3)]),
    worker: 3,
    before: 'w3 ready | w2 ready',
    events: {
      'exits with 0': ['backoff until 5600 | w2 ready'],
      'exits with 1': ['backoff until 5600 | w2 ready'],
      'exits with a stop code': ['stopped | w2 ready'],
      'is killed': ['backoff until 5600 | w2 ready'],
      'has grown': ['w3 ready, w4 starting | w2 ready', 'fork w4 into 0 (g1)'],
    },
  },
  {
    who: 'a stable worker',
    pool: two(),
    worker: 1,
    before: 'w1 ready | w2 ready',
    events: {
      'exits with 0': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'exits with 1': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'exits with a stop code': ['stopped | w2 ready'],
      'is killed': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'has grown': ['w1 ready, w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
    },
  },
  {
    who: 'an old worker whose successor starts',
    pool: after(two(), [5_000, read()]),
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
    who: 'an old worker whose successor is on trial',
    pool: after(two(), [5_000, read()], [5_200, ready(3)]),
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
    who: 'a successor that starts',
    pool: after(two(), [5_000, read()]),
    worker: 3,
    before: 'w1 ready, w3 starting | w2 ready; reload pending',
    events: {
      'says ready': ['w1 ready, w3 serving | w2 ready; reload pending'],
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
    who: 'a successor on trial',
    pool: after(two(), [5_000, read()], [5_200, ready(3)]),
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
    who: 'an old worker that has outgrown its memory',
    pool: after(two(), [5_000, grown(1)]),
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
    who: 'the successor of one that has outgrown its memory',
    pool: after(two(), [5_000, grown(1)]),
    worker: 3,
    before: 'w1 ready, w3 starting | w2 ready',
    events: {
      'says ready': ['w3 ready | w2 ready; w1 leaving until 7100', 'order w1 to retire'],
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

describe.each(WORKERS)('$who', ({ pool, worker, before, events }) => {
  test.each([
    ['says ready', ready(worker)],
    ['listens', listening(worker)],
    ['says why it fails', failed(worker)],
    ['exits with 0', exited(worker, 0)],
    ['exits with 1', exited(worker, 1)],
    ['exits with a stop code', exited(worker, 7)],
    ['is killed', exited(worker, null, 'SIGKILL')],
    ['has grown', grown(worker)],
  ])('%s', (name, event) => {
    expect(tell({ pool, effects: [], notices: [] })).toEqual([before]);
    expect(tell(step(pool, event, 5_500))).toEqual(events[name] ?? [before]);
  });
});

/** What a slot is in when something happens to the pool at 5 250; an event that is not listed changes nothing. */
const SLOTS: readonly {
  readonly what: string;
  readonly pool: Pool;
  readonly before: string;
  readonly events: Readonly<Record<string, readonly string[]>>;
}[] = [
  {
    what: 'in backoff',
    pool: after(two(), [5_000, exited(1)], [5_200, exited(3)]),
    before: 'backoff until 5300 | w2 ready',
    events: {
      'a wake at 5 300': ['w4 starting | w2 ready', 'fork w4 into 0 (g1)'],
      'a wake at 60 000': ['w4 starting | w2 ready', 'fork w4 into 0 (g1)'],
      'a reload asked for': ['backoff until 5300 | w2 ready', 'load'],
      'a reload read': ['w4 starting | w2 ready; reload pending', 'fork w4 into 0 (g3)'],
      'scale 1': ['backoff until 5300; w2 leaving until 6850', 'order w2 to retire'],
      'scale 3': ['backoff until 5300 | w2 ready | w4 starting', 'fork w4 into 2 (g1)'],
      stop: ['w2 leaving until 6850; ending', 'order w2 to stop'],
      'stop now': ['w2 leaving killed; ending', 'kill w2'],
    },
  },
  {
    what: 'starting',
    pool: after(two(), [5_000, exited(1)]),
    before: 'w3 starting | w2 ready',
    events: {
      'a wake at 60 000': ['backoff until 60100 | w2 ready; w3 leaving until 61600', 'order w3 to retire'],
      'a reload asked for': ['w3 starting | w2 ready', 'load'],
      'a reload read': [
        'w4 starting | w2 ready; w3 leaving until 6850; reload pending',
        'order w3 to retire',
        'fork w4 into 0 (g3)',
      ],
      'scale 1': ['w3 starting; w2 leaving until 6850', 'order w2 to retire'],
      'scale 3': ['w3 starting | w2 ready | w4 starting', 'fork w4 into 2 (g1)'],
      stop: ['w3 leaving until 6850; w2 leaving until 6850; ending', 'order w3 to stop', 'order w2 to stop'],
      'stop now': ['w3 leaving killed; w2 leaving killed; ending', 'kill w3', 'kill w2'],
    },
  },
  {
    what: 'ready',
    pool: two(),
    before: 'w1 ready | w2 ready',
    events: {
      'a reload asked for': ['w1 ready | w2 ready', 'load'],
      'a reload read': ['w1 ready, w3 starting | w2 ready; reload pending', 'fork w3 into 0 (g3)'],
      'scale 1': ['w1 ready; w2 leaving until 6850', 'order w2 to retire'],
      'scale 3': ['w1 ready | w2 ready | w3 starting', 'fork w3 into 2 (g1)'],
      stop: ['w1 leaving until 6850; w2 leaving until 6850; ending', 'order w1 to stop', 'order w2 to stop'],
      'stop now': ['w1 leaving killed; w2 leaving killed; ending', 'kill w1', 'kill w2'],
    },
  },
  {
    what: 'replaced in a reload',
    pool: after(two(), [5_000, read()]),
    before: 'w1 ready, w3 starting | w2 ready; reload pending',
    events: {
      'a wake at 60 000': [
        'w1 ready | w2 ready; w3 leaving until 61600',
        'order w3 to retire',
        'reload.ended aborted: the new worker of slot 0 failed to start: not ready within 3000 ms',
      ],
      'a reload asked for': ['w1 ready, w3 starting | w2 ready; reload pending, again'],
      'scale 1': ['w1 ready, w3 starting; w2 leaving until 6850; reload pending', 'order w2 to retire'],
      'scale 3': ['w1 ready, w3 starting | w2 ready | w4 starting; reload pending', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 leaving until 6850; w1 leaving until 6850; w2 leaving until 6850; ending',
        'order w3 to stop',
        'order w1 to stop',
        'order w2 to stop',
        'reload.ended aborted: the service stops',
      ],
      'stop now': [
        'w3 leaving killed; w1 leaving killed; w2 leaving killed; ending',
        'reload.ended aborted: the service stops',
        'kill w3',
        'kill w1',
        'kill w2',
      ],
    },
  },
  {
    what: 'replaced, its successor on trial',
    pool: after(two(), [5_000, read()], [5_200, ready(3)]),
    before: 'w1 ready, w3 serving | w2 ready; reload pending',
    events: {
      'a wake at 60 000': [
        'w3 ready | w2 ready, w4 starting; w1 leaving until 61600; reload passed',
        'order w1 to retire',
        'fork w4 into 1 (g2)',
      ],
      'a reload asked for': ['w1 ready, w3 serving | w2 ready; reload pending, again'],
      'scale 1': ['w1 ready, w3 serving; w2 leaving until 6850; reload pending', 'order w2 to retire'],
      'scale 3': ['w1 ready, w3 serving | w2 ready | w4 starting; reload pending', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 leaving until 6850; w1 leaving until 6850; w2 leaving until 6850; ending',
        'order w3 to stop',
        'order w1 to stop',
        'order w2 to stop',
        'reload.ended aborted: the service stops',
      ],
      'stop now': [
        'w3 leaving killed; w1 leaving killed; w2 leaving killed; ending',
        'reload.ended aborted: the service stops',
        'kill w3',
        'kill w1',
        'kill w2',
      ],
    },
  },
  {
    what: 'replaced for its memory',
    pool: after(two(), [5_000, grown(1)]),
    before: 'w1 ready, w3 starting | w2 ready',
    events: {
      'a wake at 60 000': [
        'w1 ready | w2 ready; w3 leaving until 61600',
        'order w3 to retire',
        'memory-restart.failed 0: the new worker of slot 0 failed to start: not ready within 3000 ms',
      ],
      'a reload asked for': ['w1 ready, w3 starting | w2 ready', 'load'],
      'a reload read': ['w1 ready, w3 starting | w2 ready; reload pending'],
      'scale 1': ['w1 ready, w3 starting; w2 leaving until 6850', 'order w2 to retire'],
      'scale 3': ['w1 ready, w3 starting | w2 ready | w4 starting', 'fork w4 into 2 (g1)'],
      stop: [
        'w3 leaving until 6850; w1 leaving until 6850; w2 leaving until 6850; ending',
        'order w3 to stop',
        'order w1 to stop',
        'order w2 to stop',
      ],
      'stop now': [
        'w3 leaving killed; w1 leaving killed; w2 leaving killed; ending',
        'kill w3',
        'kill w1',
        'kill w2',
      ],
    },
  },
  {
    what: 'stopped',
    pool: after(two(), [5_000, exited(1, 7)]),
    before: 'stopped | w2 ready',
    events: {
      'a reload asked for': ['stopped | w2 ready', 'load'],
      'a reload read': ['w3 starting | w2 ready; reload pending', 'fork w3 into 0 (g3)'],
      'scale 1': ['w3 starting; w2 leaving until 6850', 'order w2 to retire', 'fork w3 into 0 (g1)'],
      'scale 2': ['w3 starting | w2 ready', 'fork w3 into 0 (g1)'],
      'scale 3': ['w3 starting | w2 ready | w4 starting', 'fork w3 into 0 (g1)', 'fork w4 into 2 (g1)'],
      stop: ['w2 leaving until 6850; ending', 'order w2 to stop'],
      'stop now': ['w2 leaving killed; ending', 'kill w2'],
    },
  },
  {
    what: 'errored',
    pool: after(
      two(),
      [5_000, exited(1)],
      [5_010, exited(3)],
      [5_110, wake, exited(4)],
      [5_210, wake, exited(5)],
    ),
    before: 'errored | w2 ready',
    events: {
      'a reload asked for': ['errored | w2 ready', 'load'],
      'a reload read': ['w6 starting | w2 ready; reload pending', 'fork w6 into 0 (g3)'],
      'scale 1': ['w6 starting; w2 leaving until 6850', 'order w2 to retire', 'fork w6 into 0 (g1)'],
      'scale 2': ['w6 starting | w2 ready', 'fork w6 into 0 (g1)'],
      'scale 3': ['w6 starting | w2 ready | w7 starting', 'fork w6 into 0 (g1)', 'fork w7 into 2 (g1)'],
      stop: ['w2 leaving until 6850; ending', 'order w2 to stop'],
      'stop now': ['w2 leaving killed; ending', 'kill w2'],
    },
  },
  {
    what: 'served, its old worker draining',
    pool: after(two(), [5_000, grown(1)], [5_200, ready(3)]),
    before: 'w3 ready | w2 ready; w1 leaving until 6800',
    events: {
      'a wake at 60 000': ['w3 ready | w2 ready; w1 leaving killed', 'kill w1'],
      'a reload asked for': ['w3 ready | w2 ready; w1 leaving until 6800', 'load'],
      'a reload read': [
        'w3 ready, w4 starting | w2 ready; w1 leaving until 6800; reload pending',
        'fork w4 into 0 (g3)',
      ],
      'scale 1': ['w3 ready; w1 leaving until 6800; w2 leaving until 6850', 'order w2 to retire'],
      'scale 3': ['w3 ready | w2 ready | w4 starting; w1 leaving until 6800', 'fork w4 into 2 (g1)'],
      stop: [
        'w1 leaving until 6800; w3 leaving until 6850; w2 leaving until 6850; ending',
        'order w3 to stop',
        'order w2 to stop',
      ],
      'stop now': [
        'w1 leaving killed; w3 leaving killed; w2 leaving killed; ending',
        'kill w1',
        'kill w3',
        'kill w2',
      ],
    },
  },
];

describe.each(SLOTS)('a slot that is $what', ({ pool, before, events }) => {
  test.each<[string, Event, Millis]>([
    ['a wake too early', wake, 5_250],
    ['a wake at 5 300', wake, 5_300],
    ['a wake at 60 000', wake, 60_000],
    ['a reload asked for', asked, 5_250],
    ['a reload read', read(3), 5_250],
    ['scale 1', scaled(1), 5_250],
    ['scale 2', scaled(2), 5_250],
    ['scale 3', scaled(3), 5_250],
    ['stop', stop, 5_250],
    ['stop now', stopNow, 5_250],
  ])('%s', (name, event, now) => {
    expect(tell({ pool, effects: [], notices: [] })).toEqual([before]);
    expect(tell(step(pool, event, now))).toEqual(events[name] ?? [before]);
  });
});

const EVERY_EVENT: readonly Event[] = [
  wake,
  ready(1),
  listening(1),
  failed(1),
  exited(1),
  grown(1),
  drains(1),
  silent(1),
  heard(1),
  refused(1),
  asked,
  read(),
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

  test('stops is not stopped twice', () => {
    expect(step(ending, stop, 5_200)).toEqual({ pool: ending, effects: [], notices: [] });
  });

  test('stops waits for the last worker', () => {
    expect(tell(play(ending, [5_100, exited(1, 0)]))).toEqual(['w2 leaving until 6600; ending']);
    expect(tell(play(ending, [5_100, exited(1, 0), exited(2, 1)]))).toEqual(['ended', 'exit 0']);
  });

  test('stops with a worker that turns out never to have been forked', () => {
    expect(tell(play(ending, [5_100, exited(1, 0), refused(2)]))).toEqual(['ended', 'exit 0']);
  });

  test('stops slowly can be told to stop now', () => {
    expect(tell(play(ending, [5_100, stopNow]))).toEqual([
      'w1 leaving killed; w2 leaving killed; ending',
      'kill w1',
      'kill w2',
    ]);
  });

  test('has not begun stops at once', () => {
    expect(tell(play(createPool(EDGES, 2), [0, stop]))).toEqual(['ended', 'exit 0']);
  });
});

describe('an empty seat', () => {
  test('is filled by the first wake', () => {
    expect(tell(play(createPool(EDGES, 2), [0, wake]))).toEqual([
      'w1 starting | w2 starting',
      'fork w1 into 0 (g1)',
      'fork w2 into 1 (g1)',
    ]);
  });

  test('counts a restart only where a worker had exited', () => {
    const pool = after(two(), [5_000, exited(1), scaled(3)]);
    expect(pool.slots.map(({ history }) => history.restarts)).toEqual([1, 0, 0]);
  });

  test('whose slot comes back after a scale down and up begins afresh', () => {
    const pool = after(two(), [5_000, exited(2), scaled(1), scaled(2)]);
    expect(pool.slots[1]?.history).toMatchObject({ restarts: 0, unstable: 0, lastExit: undefined });
  });
});

describe('a fork that the system refuses', () => {
  test('waits 100, 150, 225 … ms, and is held against nobody', () => {
    let pool = two();
    let now = 5_000;
    pool = after(pool, [now, exited(1)]);
    const pauses: Millis[] = [];
    for (let worker = 3; worker < 8; worker++) {
      pool = after(pool, [now, refused(worker)]);
      const at = nextWake(pool) ?? 0;
      pauses.push(at - now);
      now = at;
      pool = after(pool, [now, wake]);
    }
    expect(pauses).toEqual([100, 150, 225, 337, 505]);
    expect(pool.slots[0]?.history).toMatchObject({ unstable: 0, forkFailures: 5 });
  });

  test('is forgotten once a worker has lived', () => {
    const pool = after(two(), [5_000, exited(1), refused(3)], [5_100, wake, exited(4)]);
    expect(pool.slots[0]).toMatchObject({ at: 'backoff', history: { unstable: 1, forkFailures: 0 } });
  });

  test('aborts a reload, as the successor', () => {
    expect(tell(play(two(), [5_000, read(), refused(3)]))).toEqual([
      'w1 ready | w2 ready',
      'fork w3 into 0 (g2)',
      'reload.ended aborted: the new worker of slot 0 failed to start: spawn EAGAIN',
    ]);
  });

  test('aborts a reload, in a seat that was empty', () => {
    const stopped = after(two(), [5_000, exited(1, 7)]);
    expect(tell(play(stopped, [5_100, read(), refused(3)]))).toEqual([
      'backoff until 5200 | w2 ready',
      'fork w3 into 0 (g2)',
      'reload.ended aborted: the new worker of slot 0 failed to start: spawn EAGAIN',
    ]);
  });

  test('does not abort a reload that it is no part of', () => {
    expect(tell(play(two(), [5_000, read(), exited(2), refused(4)]))).toEqual([
      'w1 ready, w3 starting | backoff until 5100; reload pending',
      'fork w3 into 0 (g2)',
      'fork w4 into 1 (g1)',
    ]);
  });

  test('leaves a worker that has outgrown its memory where it is', () => {
    expect(tell(play(two(), [5_000, grown(1), refused(3)]))).toEqual([
      'w1 ready | w2 ready',
      'fork w3 into 0 (g1)',
      'memory-restart.failed 0: the new worker of slot 0 failed to start: spawn EAGAIN',
    ]);
  });

  test('of a worker that is known no more changes nothing', () => {
    expect(step(two(), refused(99), 5_000)).toEqual({
      pool: two(),
      effects: [],
      notices: [{ type: 'fork.failed', message: 'spawn EAGAIN' }],
    });
  });
});

describe('readiness', () => {
  const starting = (policy: Partial<Policy>): Pool =>
    after(createPool({ ...EDGES, ...policy }, 1), [0, wake]);

  test('is the word "ready", with wait_ready and without', () => {
    for (const waitReady of [true, false])
      expect(tell(play(starting({ waitReady }), [50, ready(1)]))).toEqual(['w1 ready']);
  });

  test('is the first "listening" without wait_ready only', () => {
    expect(tell(play(starting({ waitReady: true }), [50, listening(1)]))).toEqual(['w1 starting']);
    expect(tell(play(starting({ waitReady: false }), [50, listening(1)]))).toEqual(['w1 ready']);
  });

  test('is being alive at listen_timeout without wait_ready, and a failure with it', () => {
    expect(tell(play(starting({ waitReady: false }), [2_999, wake]))).toEqual(['w1 starting']);
    expect(tell(play(starting({ waitReady: false }), [3_000, wake]))).toEqual(['w1 ready']);
    expect(tell(play(starting({ waitReady: true }), [2_999, wake]))).toEqual(['w1 starting']);
    expect(tell(play(starting({ waitReady: true }), [3_000, wake]))).toEqual([
      'backoff until 3100; w1 leaving until 4600',
      'order w1 to retire',
    ]);
  });

  test('counts from when it was said, and is said once', () => {
    const pool = after(starting({}), [50, ready(1)], [900, ready(1)]);
    expect(pool.slots[0]).toMatchObject({ worker: { since: 50 } });
  });

  test("of a successor is judged by its own generation's policy", () => {
    const begun = after(two(), [5_000, read(2, { ...EDGES, waitReady: false })]);
    expect(tell(play(begun, [5_100, listening(3)]))).toEqual([
      'w1 ready, w3 serving | w2 ready; reload pending',
    ]);
    expect(tell(play(begun, [8_000, wake]))).toEqual(['w1 ready, w3 serving | w2 ready; reload pending']);
  });

  test('comes too late for a worker that has been told to leave', () => {
    const late = after(starting({ waitReady: true }), [3_000, wake]);
    expect(step(late, ready(1), 3_050)).toEqual({ pool: late, effects: [], notices: [] });
  });

  test('that is heard at the very deadline, or after a pause of the machine, still counts', () => {
    expect(tell(play(starting({}), [3_000, ready(1)]))).toEqual(['w1 ready']);
    expect(tell(play(starting({}), [3_600_000, ready(1)]))).toEqual(['w1 ready']);
  });

  test('of several workers is judged at the same time', () => {
    const pool = after(createPool(EDGES, 3), [0, wake], [100, ready(2)]);
    expect(tell(play(pool, [3_000, wake]))).toEqual([
      'backoff until 3100 | w2 ready | backoff until 3100; w1 leaving until 4600; w3 leaving until 4600',
      'order w1 to retire',
      'order w3 to retire',
    ]);
  });

  test('that fails in two slots of one reload aborts it once', () => {
    const policy = { ...EDGES, minUptimeMs: 100 };
    // Slot 0 is renewed and crashes after a stable life, while slot 1 is being replaced.
    const pool = after(two(policy), [5_000, read(2, policy)], [5_100, ready(3)], [5_200, wake, exited(1, 0)]);
    expect(tell(play(pool, [5_300, exited(3)], [9_000, wake]))).toEqual([
      'backoff until 9100 | w2 ready; w5 leaving until 10600; w4 leaving until 10600',
      'fork w5 into 0 (g2)',
      'order w5 to retire',
      'order w4 to retire',
      'reload.ended aborted: the new worker of slot 0 failed to start: not ready within 3000 ms',
    ]);
  });
});

describe('the reason a worker gives', () => {
  test('is told with its exit', () => {
    const pool = after(two(), [5_000, exited(1), failed(3), exited(3)]);
    expect(pool.slots[0]?.history.lastExit).toEqual({
      worker: 3,
      code: 1,
      signal: null,
      cause: { type: 'boot-failed', code: 1, message: 'no database' },
    });
  });

  test('is told with the end of a reload', () => {
    expect(tell(play(two(), [5_000, read(), failed(3), exited(3)]))).toContain(
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it was ready: no database',
    );
  });

  test('does not outlive readiness', () => {
    const pool = after(two(), [5_000, exited(1), failed(3), ready(3)], [5_100, exited(3)]);
    expect(pool.slots[0]?.history.lastExit?.cause).toBeUndefined();
  });
});

describe('a worker that has outgrown its memory', () => {
  test('is replaced only if no other is being replaced', () => {
    const pool = after(two(), [5_000, grown(1)]);
    expect(step(pool, grown(2), 5_100)).toEqual({ pool, effects: [], notices: [] });
  });

  test('is not replaced during a reload, which replaces it anyway', () => {
    const pool = after(two(), [5_000, read()]);
    expect(step(pool, grown(2), 5_100)).toEqual({ pool, effects: [], notices: [] });
  });

  test('is left in peace for a minute after the last time', () => {
    const pool = after(two(), [5_000, grown(1)], [5_100, ready(3), exited(1, 0)]);
    expect(step(pool, grown(3), 64_999)).toEqual({ pool, effects: [], notices: [] });
    expect(tell(play(pool, [65_000, grown(3)]))).toContain('fork w4 into 0 (g1)');
  });

  test('that crashes before its successor is ready leaves it the seat', () => {
    expect(tell(play(two(), [5_000, grown(1)], [5_100, exited(1)], [5_200, ready(3)]))).toEqual([
      'w3 ready | w2 ready',
      'fork w3 into 0 (g1)',
    ]);
  });

  test('holds a reload up until it is replaced', () => {
    expect(tell(play(two(), [5_000, grown(1)], [5_100, read()], [5_200, ready(3)]))).toEqual([
      'w3 ready, w4 starting | w2 ready; w1 leaving until 6800; reload pending',
      'fork w3 into 0 (g1)',
      'order w1 to retire',
      'fork w4 into 0 (g2)',
    ]);
  });
});

describe('a worker that drains by itself', () => {
  test('gives its seat up at once, is replaced like one that has exited, and gets no order', () => {
    expect(tell(play(two(), [5_000, drains(1)]))).toEqual([
      'w3 starting | w2 ready; w1 leaving until 6600',
      'fork w3 into 0 (g1)',
    ]);
  });

  test('costs a delay where it had not been stable', () => {
    const young = after(createPool(EDGES, 2), [0, wake, ready(1), ready(2)]);
    expect(tell(play(young, [500, drains(1)]))).toEqual([
      'backoff until 600 | w2 ready; w1 leaving until 2100',
    ]);
  });

  test('is told by the code it announced: one of stop_exit_codes leaves the slot alone', () => {
    const { pool } = play(two(), [5_000, drains(1, 7)]);
    expect(pool.slots[0]).toMatchObject({ at: 'stopped', exit: { worker: 1, code: 7 } });
  });

  test('is killed if it stays, and is just gone when it exits', () => {
    const { pool } = play(two(), [5_000, drains(1)], [5_200, ready(3)]);
    expect(tell(play(pool, [6_600, wake]))).toEqual(['w3 ready | w2 ready; w1 leaving killed', 'kill w1']);
    expect(tell(play(pool, [6_000, exited(1)]))).toEqual(['w3 ready | w2 ready']);
  });

  test('as the only one, does not end the service before it is gone', () => {
    const pool = after(createPool({ ...EDGES, autorestart: false }, 1), [0, wake, ready(1)]);
    const left = after(pool, [5_000, drains(1, 0)]);
    expect(left).toMatchObject({ verdict: { code: 0 }, ended: false });
    expect(tell(play(left, [5_500, exited(1, 0)])).at(-1)).toBe('exit 0');
  });

  test('aborts a reload as its canary, and lets the old worker stay', () => {
    const replacing = after(two(), [5_000, read()], [5_200, ready(3)]);
    expect(tell(play(replacing, [5_300, drains(3)]))).toEqual([
      'w1 ready | w2 ready; w3 leaving until 6900',
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
    ]);
  });

  test('leaves its seat to the successor that is there already', () => {
    const replacing = after(two(), [5_000, read()], [5_200, ready(3)]);
    expect(after(replacing, [5_300, drains(1)]).slots[0]).toMatchObject({ at: 'ready', worker: { id: 3 } });
  });

  test('that was told to leave before says nothing new', () => {
    const stopping = after(two(), [5_000, stop]);
    expect(step(stopping, drains(1), 5_100)).toEqual({ pool: stopping, effects: [], notices: [] });
  });
});

describe('who overstays', () => {
  const leaving = after(two(), [5_000, scaled(1)]);

  test('is killed at kill_timeout, not before, and once', () => {
    expect(tell(play(leaving, [6_599, wake]))).toEqual(['w1 ready; w2 leaving until 6600']);
    expect(tell(play(leaving, [6_600, wake], [9_000, wake]))).toEqual([
      'w1 ready; w2 leaving killed',
      'kill w2',
    ]);
  });

  test('is killed alone, if the others still have time', () => {
    expect(after(two(), [5_000, scaled(1)], [5_100, stop], [6_610, wake]).draining).toMatchObject([
      { id: 2, deadline: undefined },
      { id: 1, deadline: 6_700 },
    ]);
  });

  test('and leaves at the very last moment is not killed', () => {
    expect(tell(play(leaving, [6_600, exited(2, 0)]))).toEqual(['w1 ready']);
  });
});

describe('a reload', () => {
  const begun = after(two(), [5_000, read()], [5_200, ready(3)]);
  const passed = after(begun, [6_200, wake]);

  test('asked for twice while one runs is asked for once', () => {
    const again = after(begun, [5_300, asked]);
    expect(again.reloadAgain).toBe(true);
    expect(step(again, asked, 5_400)).toEqual({ pool: again, effects: [], notices: [] });
    const over = after(again, [6_200, wake, exited(1, 0)], [6_400, ready(4)]);
    expect(tell(play(over, [6_500, exited(2, 0)]))).toEqual([
      'w3 ready | w4 ready',
      'reload.ended well',
      'load',
    ]);
  });

  test('is read once more where another was requested while the file is read', () => {
    const loading = after(two(), [5_000, asked]);
    expect(loading.loading).toBe(true);
    const { pool, effects, notices } = step(loading, asked, 5_050);
    expect([pool.reloadAgain, effects, notices]).toEqual([true, [], [{ type: 'reload.queued' }]]);
    expect(tell(step(pool, unusable, 5_100))).toEqual(['w1 ready | w2 ready', 'load']);
  });

  test('changes nothing when the file cannot be used', () => {
    const { pool, effects } = play(two(), [5_000, asked, unusable]);
    expect([pool, effects]).toEqual([two(), [{ type: 'load' }]]);
  });

  test('trusts its canary after min_uptime', () => {
    expect(tell(play(begun, [6_199, wake]))).toEqual(['w1 ready, w3 serving | w2 ready; reload pending']);
    expect(tell(play(begun, [6_200, wake]))).toEqual([
      'w3 ready | w2 ready, w4 starting; w1 leaving until 7800; reload passed',
      'order w1 to retire',
      'fork w4 into 1 (g2)',
    ]);
  });

  test("trusts its canary by the new file's min_uptime", () => {
    const slow = after(two(), [5_000, read(2, { ...EDGES, minUptimeMs: 4_000 })], [5_200, ready(3)]);
    expect(nextWake(slow)).toBe(9_200);
    expect(after(slow, [9_200, wake]).policy.minUptimeMs).toBe(4_000);
  });

  test('keeps policy, generation and number as they are until the canary is trusted', () => {
    const pending = after(two(), [5_000, read(2, { ...EDGES, maxRestarts: 9 }, 4)], [5_200, ready(3)]);
    expect(pending).toMatchObject({ generation: 1, wanted: 2, fromFile: 2, policy: EDGES });
    expect(after(pending, [6_200, wake])).toMatchObject({
      generation: 2,
      wanted: 4,
      fromFile: 4,
      policy: { maxRestarts: 9 },
    });
  });

  test('keeps the number of an operator unless the file has another one than before', () => {
    const scaledUp = after(two(), [4_000, scaled(3)], [4_100, ready(3)]);
    const renewed = (instances: number): number =>
      after(scaledUp, [5_000, read(2, EDGES, instances)], [5_200, ready(4)], [6_200, wake]).wanted;
    expect(renewed(2)).toBe(3);
    expect(renewed(1)).toBe(1);
  });

  test('does not need a second canary', () => {
    expect(tell(play(passed, [6_300, ready(4)]))).toEqual([
      'w3 ready | w4 ready; w1 leaving until 7800; w2 leaving until 7900; reload passed',
      'order w2 to retire',
    ]);
  });

  test('is over when the last old worker has left', () => {
    const served = after(passed, [6_300, ready(4), exited(2, 0)]);
    expect(tell(play(served, [6_400, exited(1, 0)]))).toEqual(['w3 ready | w4 ready', 'reload.ended well']);
  });

  test('is over although a worker of its own generation still leaves', () => {
    const served = after(passed, [6_300, ready(4), scaled(1), exited(1, 0)]);
    expect(tell(play(served, [6_400, exited(2, 0)]))).toEqual([
      'w3 ready; w4 leaving until 7900',
      'reload.ended well',
    ]);
  });

  test('is aborted by a later successor as well; who is renewed stays so', () => {
    expect(tell(play(passed, [6_300, exited(4)]))).toEqual([
      'w3 ready | w2 ready; w1 leaving until 7800',
      'reload.ended aborted: the new worker of slot 1 exited (code 1) before it was ready',
    ]);
  });

  test('lives through the end of a stable renewed worker, and is aborted by that of an unstable one', () => {
    expect(tell(play(passed, [6_200, exited(3)]))).toContain('fork w5 into 0 (g2)');
    const unstable = after(begun, [5_300, exited(1)]);
    expect(tell(play(unstable, [5_400, exited(3)]))).toEqual([
      'backoff until 5500 | w2 ready',
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
    ]);
  });

  test('goes on after the end of a worker that it has not come to yet, which is healed', () => {
    expect(tell(play(begun, [5_300, exited(2)]))).toEqual([
      'w1 ready, w3 serving | w4 starting; reload pending',
      'fork w4 into 1 (g1)',
    ]);
    expect(tell(play(after(begun, [6_100, exited(2)]), [6_200, wake]))).toEqual([
      'w3 ready | w5 starting; w1 leaving until 7800; w4 leaving until 7800; reload passed',
      'order w1 to retire',
      'order w4 to retire',
      'fork w5 into 1 (g2)',
    ]);
  });

  test('heals with the new build once the canary is trusted', () => {
    const third = after(passed, [6_300, ready(4), exited(1, 0)]);
    expect(tell(play(third, [7_300, exited(4)]))).toContain('fork w5 into 1 (g2)');
  });

  test('whose canary ends after min_uptime, but before anybody could trust it, is aborted', () => {
    // The timer may be late: no `wake` came between the proof at 6 200 and the exit.
    expect(tell(play(begun, [6_250, exited(3)]))).toContain(
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
    );
    const alone = after(begun, [5_300, exited(1)]);
    expect(tell(play(alone, [6_250, exited(3)]))).toEqual([
      'w4 starting | w2 ready',
      'reload.ended aborted: the new worker of slot 0 exited (code 1) before it had proved stable',
      'fork w4 into 0 (g1)',
    ]);
  });

  test('begins with a seat whose wait is over: it gets the new build, and the old one is not forked again', () => {
    const due = after(two(), [5_000, exited(1)], [5_200, exited(3)]);
    expect(tell(play(due, [5_300, read()]))).toEqual([
      'w4 starting | w2 ready; reload pending',
      'fork w4 into 0 (g2)',
    ]);
  });

  test('and a scale forgive: counters begin anew', () => {
    const shaky = after(two(), [5_000, exited(1)], [5_200, exited(3)], [5_300, wake, exited(4)]);
    expect(shaky.slots[0]?.history).toMatchObject({ unstable: 2, restarts: 2 });
    expect(after(shaky, [5_350, read()]).slots[0]?.history).toMatchObject({ unstable: 0, restarts: 2 });
    const errored = after(shaky, [5_400, wake, exited(5)]);
    expect(errored.slots[0]).toMatchObject({ at: 'errored', history: { unstable: 3 } });
    expect(after(errored, [6_000, scaled(2)]).slots[0]?.history).toMatchObject({ unstable: 0 });
  });

  test('and a successor that takes over begins with fresh counters', () => {
    const shaky = after(two(), [5_000, exited(1)], [5_200, exited(3)], [5_300, wake, ready(4)]);
    const taken = after(shaky, [5_400, grown(4)], [5_500, exited(4)]);
    expect(taken.slots[0]).toMatchObject({ at: 'starting', worker: { id: 5 }, history: { unstable: 0 } });
  });

  test('that is read while another one runs, or after a stop, is none', () => {
    expect(step(begun, read(3), 5_300)).toEqual({ pool: begun, effects: [], notices: [] });
  });

  test('is not asked for once the service stops', () => {
    const ending = after(two(), [5_000, stop]);
    expect(step(ending, asked, 5_100)).toEqual({ pool: ending, effects: [], notices: [] });
  });

  test('that waits is forgotten when the service stops', () => {
    expect(tell(play(after(begun, [5_300, asked]), [5_400, stop]))).not.toContain('load');
  });
});

describe('a job, whose workers end by themselves', () => {
  const policy: Policy = { ...EDGES, waitReady: false, autorestart: false, isJob: true };
  const job = (instances: number): Pool => after(createPool(policy, instances), [0, wake]);
  const done = after(job(2), [300, exited(1, 0), exited(2, 0)]);
  const again = (instances: number): Event => read(2, policy, instances);

  test('waits for its next time, however the last one ended', () => {
    expect(done).toMatchObject({ verdict: undefined, slots: [{ at: 'stopped' }, { at: 'stopped' }] });
    expect(after(job(1), [300, exited(1, 1)]).verdict).toBeUndefined();
  });

  test('runs slot after slot in a reload, and each run that ends with 0 is a success', () => {
    expect(tell(play(done, [5_000, again(2)]))).toEqual([
      'w3 starting | stopped; reload pending',
      'fork w3 into 0 (g2)',
    ]);
    expect(tell(play(done, [5_000, again(2)], [5_300, exited(3, 0)]))).toEqual([
      'stopped | w4 starting; reload passed',
      'fork w3 into 0 (g2)',
      'fork w4 into 1 (g2)',
    ]);
    expect(tell(play(done, [5_000, again(2)], [5_300, exited(3, 0)], [5_600, exited(4, 0)]))).toEqual([
      'stopped | stopped',
      'fork w3 into 0 (g2)',
      'fork w4 into 1 (g2)',
      'reload.ended well',
    ]);
  });

  test('may take longer than a canary has to prove itself', () => {
    const long = after(done, [5_000, again(2)], [8_000, wake], [8_500, exited(3, 0)]);
    expect(long).toMatchObject({ generation: 2, reload: { canary: 'passed' } });
  });

  test('aborts the reload if a run fails', () => {
    expect(tell(play(done, [5_000, again(2)], [5_300, exited(3, 1)])).at(-1)).toMatch(
      /^reload\.ended aborted/,
    );
  });

  test('leaves a run that is not over yet alone where the next one ends first', () => {
    const both = after(job(1), [3_000, wake], [5_000, again(1)]);
    expect(tell(play(both, [5_300, exited(2, 0)]))[0]).toBe('w1 ready');
  });

  test('ends when it is told to', () => {
    expect(tell(play(done, [5_000, stop]))).toEqual(['ended', 'exit 0']);
  });
});

describe('the end', () => {
  const never = (policy: Partial<Policy> = {}): Pool =>
    after(createPool({ ...EDGES, ...policy }, 2), [0, wake]);
  const strict: Partial<Policy> = { maxRestarts: 1, stopExitCodes: [0, 5, 6, 7] };
  const stops = (first: number, second: number): Happening => [9_000, exited(1, first), exited(2, second)];
  const announced = (first: number, second: number): readonly Happening[] => [
    [5_000, exited(1), exited(2)],
    [5_100, failed(3, first), failed(4, second), exited(3, first), exited(4, second)],
  ];

  test.each<[string, number, Pool, readonly Happening[]]>([
    ['every slot stopped, having exited with 0', 0, two(strict), [stops(0, 0)]],
    ['every slot stopped, one of them not with 0', 4, two(strict), [stops(0, 7)]],
    [
      'every slot left alone, killed by a signal',
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
    ['exit code 5 that nobody explained', 4, two(strict), [stops(5, 5)]],
    [
      'an invalid configuration at the first start',
      5,
      never(),
      [[100, failed(1, 5), exited(1, 5), exited(2, 5)]],
    ],
    ['a taken port at the first start', 6, never(), [[100, failed(1, 6), exited(1, 6), exited(2, 6)]]],
    [
      'a taken port at the first start of a program that exits with 1',
      6,
      never(),
      [[100, failed(1, 6), exited(1, 1), exited(2, 1)]],
    ],
  ])('%s: exit code %i', (_name, code, pool, happenings) => {
    const { pool: over, effects } = play(pool, ...happenings);
    expect(over.ended).toBe(true);
    expect(effects.at(-1)).toMatchObject({ type: 'exit', verdict: { code } });
  });

  test('carries the exit that led to it', () => {
    expect(after(two(strict), stops(0, 7)).verdict?.exit).toMatchObject({ worker: 2, code: 7 });
    expect(after(never({ maxRestarts: 1 }), [100, exited(1, 0), exited(2, 0)]).verdict?.exit).toMatchObject({
      worker: 1,
      code: 0,
    });
  });

  test('comes at once for the first worker whose failure no restart cures, and drains the others', () => {
    expect(tell(play(never(), [100, failed(1, 5), exited(1, 5)]))).toEqual([
      'w2 leaving until 1700; ending',
      'order w2 to stop',
    ]);
  });

  test.each<[string, readonly Event[]]>([
    ['another code than the announced failures', [failed(1, 1), exited(1, 1)]],
    ['such a code without a word', [exited(1, 5)]],
    ['such a word and a signal', [failed(1, 5), exited(1, null, 'SIGKILL')]],
    ['such a failure once the service has served', [ready(2), failed(1, 5), exited(1, 5)]],
  ])('does not come for %s', (_name, events) => {
    expect(after(never(), [100, ...events]).verdict).toBeUndefined();
  });

  test('waits for a worker that still drains', () => {
    const pool = after(createPool({ ...EDGES, maxRestarts: 1 }, 1), [0, wake], [3_000, wake]);
    expect(tell({ pool, effects: [], notices: [] })).toEqual(['errored; w1 leaving until 4600; ending']);
    expect(tell(play(pool, [3_100, exited(1, 0)]))).toEqual(['errored; ended', 'exit 3']);
  });

  test('does not come while another slot may still serve', () => {
    expect(after(never(strict), [100, exited(1)]).verdict).toBeUndefined();
  });

  test('does not read the file again for a reload that had to wait', () => {
    const policy = { ...EDGES, autorestart: false };
    // The old worker takes long to leave; meanwhile another reload is asked for and the new worker ends.
    const alone = after(createPool(policy, 1), [0, wake, ready(1)]);
    const late = after(alone, [5_000, read(2, policy, 1)], [5_200, ready(2)], [6_200, wake, asked]);
    expect(tell(play(late, [7_300, exited(2, 0)], [7_400, exited(1, 0)]))).toEqual([
      'stopped; ended',
      'reload.ended well',
      'exit 0',
    ]);
  });
});
