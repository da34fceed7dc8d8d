/** The warm standby: kept while all is well, used once, replaced afterwards, and never in anybody's way. */
import type { Policy } from '../../src/supervisor/model.js';
import { HEALTHY, World } from '../support/world.js';

const world = (instances = 1, policy: Partial<Policy> = {}): World =>
  new World({ instances, policy: { standby: true, ...policy } });

/** All of it serves, one stands by, and what led there is forgotten. */
function settled(instances = 1, policy: Partial<Policy> = {}): World {
  const it = world(instances, policy).pass(5_000);
  it.takeTranscript();
  return it;
}

test('is loaded once every seat is served, and nobody is where nobody asks for it', () => {
  expect(world(2).pass(5_000).takeTranscript()).toEqual([
    '     0   -> fork w1 into 0 (g1)',
    '     0   -> fork w2 into 1 (g1)',
    '   200 worker.ready w1',
    '   200   -> lend 1 to w1',
    '   200 worker.ready w2',
    '   200   -> return 1 from w1',
    '   200   -> fork w3 to stand by (g1)',
    '   400 worker.standby w3',
  ]);
  expect(new World({ instances: 1 }).pass(5_000).pool.standby).toMatchObject({ at: 'absent' });
});

test('takes over the seat of a worker that dies, and is followed by another', () => {
  expect(settled().crash(1).pass(1_000).takeTranscript()).toEqual([
    '  5000 worker.exited w1 1',
    '  5000   -> promote w2 into 0',
    '  5010 worker.ready w2',
    '  5010   -> fork w3 to stand by (g1)',
    '  5210 worker.standby w3',
  ]);
});

test('helps one seat; a second one that falls vacant meanwhile gets a new worker', () => {
  const it = settled(2).crash(1).crash(2);
  expect(it.takeTranscript().filter(line => /fork|promote/.test(line))).toEqual([
    '  5000   -> promote w3 into 0',
    '  5000   -> fork w4 into 1 (g1)',
  ]);
});

test('does not shorten the delay of a worker that crashes again and again', () => {
  const it = settled(1, { restartDelayMs: 300 }).crash(1).pass(10);
  it.takeTranscript();
  expect(
    it
      .crash(2)
      .pass(2_000)
      .takeTranscript()
      .filter(line => /fork|promote/.test(line)),
  ).toEqual(['  5310   -> promote w3 into 0', '  5320   -> fork w4 to stand by (g1)']);
});

test('belongs to its build: after a reload it leaves, and one of the new build is loaded', () => {
  const it = settled();
  it.send({ type: 'reload.asked' }).pass(5_000);
  expect(it.takeTranscript().filter(line => /w2|stand/.test(line))).toEqual([
    '  6200   -> order w2 to retire',
    '  6250 worker.exited w2 0',
    '  6250   -> fork w4 to stand by (g2)',
    '  6450 worker.standby w4',
  ]);
  expect(it.pool.standby).toEqual({ at: 'waiting', id: 4, generation: 2 });
});

test('leaves when a reload no longer asks for it', () => {
  const it = settled();
  it.file = { instances: 1, policy: { ...it.policy, standby: false } };
  it.send({ type: 'reload.asked' }).pass(10_000);
  expect(it.pool.standby).toMatchObject({ at: 'absent' });
  expect(it.alive.size).toBe(1);
});

test('is told to leave with the service, and the service waits for it', () => {
  const it = settled();
  it.send({ type: 'stop', how: 'drain' }).pass(1_000);
  expect(it.takeTranscript()).toEqual([
    '  5000 stop drain',
    '  5000   -> order w1 to stop',
    '  5000   -> order w2 to stop',
    '  5050 worker.exited w1 0',
    '  5050 worker.exited w2 0',
    '  5050   -> exit 0',
  ]);
});

test('leaves a service that gives up', () => {
  const it = settled(1, { autorestart: false }).crash(1).pass(1_000);
  expect(it.takeTranscript().slice(-3)).toEqual([
    '  5000   -> order w2 to retire',
    '  5050 worker.exited w2 0',
    '  5050   -> exit 4',
  ]);
});

test.each([
  ['that crashes while it loads', { exitsAfter: 50 }],
  ['that is refused', { refused: 'spawn EAGAIN' }],
  ['that never loads', { leavesAfter: 10 }],
])('one %s is tried again ever more slowly, and costs no seat', (_what, behaviour) => {
  const it = new World({
    instances: 1,
    policy: { standby: true, listenTimeoutMs: 400 },
    behave: ({ slot }) => (slot === undefined ? behaviour : HEALTHY),
  }).pass(30_000);
  const tries = it.forks.length - 1;
  expect(tries).toBeGreaterThanOrEqual(5);
  expect(tries).toBeLessThanOrEqual(9);
  expect(it.serving).toBe(1);
  expect(it.pool.slots[0]?.history).toMatchObject({ unstable: 0, restarts: 0 });
  it.behave = () => HEALTHY;
  it.pass(15_000);
  expect(it.pool.standby).toMatchObject({ at: 'waiting' });
});

test('one that was sent away while it loaded is not taken for one that stands by', () => {
  const it = world().pass(250);
  expect(it.pool.standby).toMatchObject({ at: 'loading', id: 2 });
  it.send({ type: 'stop', how: 'drain' }).send({ type: 'worker.standby', worker: 2 });
  expect(it.pool.standby).toMatchObject({ at: 'absent' });
  expect(it.pass(1_000).takeTranscript().at(-1)).toBe('   300   -> exit 0');
});

test('one that dies while it waits is replaced', () => {
  const it = settled().crash(2).pass(2_000);
  expect(it.pool.standby).toMatchObject({ at: 'waiting', id: 3 });
});
