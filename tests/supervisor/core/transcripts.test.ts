/** Runs of a small simulated service as transcripts: each event, and its effects. */
import { HEALTHY, World } from '../../support/world.js';
import { memoryExceeded } from './events.js';

test('start: every slot is forked at once, and its socket lent until its own worker serves', () => {
  const world = new World({ instances: 2 }).pass(1_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "     0   -> fork w1 into 0 (g1)",
      "     0   -> fork w2 into 1 (g1)",
      "   200 worker.ready w1",
      "   200   -> lend 1 to w1",
      "   200 worker.ready w2",
      "   200   -> return 1 from w1",
    ]
  `);
});

test('reload: the canary must prove stable, then one slot after the other, new before old', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'reload.requested' }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x2",
      "  5000   -> fork w3 into 0 (g2)",
      "  5200 worker.ready w3",
      "  6200   -> order w1 to retire",
      "  6200   -> fork w4 into 1 (g2)",
      "  6250 worker.exited w1 0",
      "  6400 worker.ready w4",
      "  6400   -> order w2 to retire",
      "  6450 worker.exited w2 0",
      "  6450   -> reload.ended well",
    ]
  `);
});

test('reload of a build that crashes at boot: no worker retires, and there is no retry', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.behave = () => ({ exitsAfter: 100, code: 1, failure: { code: 1, message: 'Cannot find module' } });
  world.send({ type: 'reload.requested' }).pass(60_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x2",
      "  5000   -> fork w3 into 0 (g2)",
      "  5100 worker.boot-failed w3 Cannot find module",
      "  5100 worker.exited w3 1",
      "  5100   -> reload.ended aborted: the new worker of slot 0 exited (code 1) before it was ready: Cannot find module",
    ]
  `);
  expect(world.serving).toBe(2);
});

test('reload of a build that exits before it is stable: the old worker serves all the time', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.behave = () => ({ ...HEALTHY, exitsAfter: 900, code: 7 });
  world.send({ type: 'reload.requested' }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x2",
      "  5000   -> fork w3 into 0 (g2)",
      "  5200 worker.ready w3",
      "  5900 worker.exited w3 7",
      "  5900   -> reload.ended aborted: the new worker of slot 0 exited (code 7) before it had proved stable",
    ]
  `);
});

test('reload of a build that never becomes ready: ordered to drain at listen_timeout, killed at kill_timeout', () => {
  const world = new World({ instances: 1 }).pass(5_000);
  world.takeTranscript();
  world.behave = () => ({});
  world.send({ type: 'reload.requested' }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x1",
      "  5000   -> fork w2 into 0 (g2)",
      "  8000   -> order w2 to retire",
      "  8000   -> reload.ended aborted: the new worker of slot 0 failed to start: not ready within 3000 ms",
      "  9600   -> kill w2",
      "  9601 worker.exited w2 SIGKILL",
    ]
  `);
});

test('reloads that are requested during a reload run once afterwards', () => {
  const world = new World({ instances: 1 }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'reload.requested' }).pass(300);
  world.send({ type: 'reload.requested' }).send({ type: 'reload.requested' }).pass(10_000);
  expect(world.transcript.filter(line => /reload|load/.test(line))).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x1",
      "  5300 reload.requested",
      "  5300 reload.requested",
      "  6250   -> reload.ended well",
      "  6250   -> load",
      "  6250 reload.read g3 x1",
      "  7500   -> reload.ended well",
    ]
  `);
});

test('reload with another number of workers: it changes once the canary is trusted', () => {
  const world = new World({ instances: 1 }).pass(5_000);
  world.takeTranscript();
  world.file = { policy: world.policy, instances: 3 };
  world.send({ type: 'reload.requested' }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x3",
      "  5000   -> fork w2 into 0 (g2)",
      "  5200 worker.ready w2",
      "  6200   -> order w1 to retire",
      "  6200   -> lend 1 to w2",
      "  6200   -> lend 2 to w2",
      "  6200   -> fork w3 into 1 (g2)",
      "  6200   -> fork w4 into 2 (g2)",
      "  6250 worker.exited w1 0",
      "  6400 worker.ready w3",
      "  6400   -> return 1 from w2",
      "  6400 worker.ready w4",
      "  6400   -> return 2 from w2",
      "  6400   -> reload.ended well",
    ]
  `);
});

test('a worker that crashes in another slot during a reload is replaced with the old build until the canary is trusted', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.send({ type: 'reload.requested' }).pass(400);
  world.takeTranscript();
  world.crash(2).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5400 worker.exited w2 1",
      "  5400   -> lend 1 to w1",
      "  5400   -> fork w4 into 1 (g1)",
      "  5600 worker.ready w4",
      "  5600   -> return 1 from w1",
      "  6200   -> order w1 to retire",
      "  6200   -> fork w5 into 1 (g2)",
      "  6250 worker.exited w1 0",
      "  6400 worker.ready w5",
      "  6400   -> order w4 to retire",
      "  6450 worker.exited w4 0",
      "  6450   -> reload.ended well",
    ]
  `);
});

test('scale: new slots are forked at once, the last slots retire', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'scale', instances: 3 }).pass(1_000).send({ type: 'scale', instances: 1 }).pass(1_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 scale 3",
      "  5000   -> lend 2 to w1",
      "  5000   -> fork w3 into 2 (g1)",
      "  5200 worker.ready w3",
      "  5200   -> return 2 from w1",
      "  6000 scale 1",
      "  6000   -> order w2 to retire",
      "  6000   -> order w3 to retire",
      "  6000   -> lend 1 to w1",
      "  6000   -> lend 2 to w1",
      "  6050 worker.exited w2 0",
      "  6050 worker.exited w3 0",
    ]
  `);
});

test('stop during a reload: all workers drain in parallel', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.send({ type: 'reload.requested' }).pass(100);
  world.takeTranscript();
  world.send({ type: 'stop', how: 'drain' }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5100 stop drain",
      "  5100   -> order w3 to stop",
      "  5100   -> order w1 to stop",
      "  5100   -> order w2 to stop",
      "  5100   -> reload.ended aborted: the service stops",
      "  5150 worker.exited w3 0",
      "  5150 worker.exited w1 0",
      "  5150 worker.exited w2 0",
      "  5150   -> exit 0",
    ]
  `);
  expect(world.exitCode).toBe(0);
});

test('stop of workers that ignore the order: killed at kill_timeout, exit code 0', () => {
  const world = new World({ instances: 2, behave: () => ({ readyAfter: 10 }) }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'stop', how: 'drain' }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 stop drain",
      "  5000   -> order w1 to stop",
      "  5000   -> order w2 to stop",
      "  6600   -> kill w1",
      "  6600   -> kill w2",
      "  6601 worker.exited w1 SIGKILL",
      "  6601 worker.exited w2 SIGKILL",
      "  6601   -> exit 0",
    ]
  `);
  expect(world.exitCode).toBe(0);
});

test('stop now during a stop: all workers are killed', () => {
  const world = new World({ instances: 2, behave: () => ({ readyAfter: 10 }) }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'stop', how: 'drain' }).pass(100).send({ type: 'stop', how: 'now' }).pass(100);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 stop drain",
      "  5000   -> order w1 to stop",
      "  5000   -> order w2 to stop",
      "  5100 stop now",
      "  5100   -> kill w1",
      "  5100   -> kill w2",
      "  5101 worker.exited w1 SIGKILL",
      "  5101 worker.exited w2 SIGKILL",
      "  5101   -> exit 0",
    ]
  `);
});

test('a worker that exceeds its memory limit retires after its successor is ready, at most once a minute if it has not grown', () => {
  const world = new World({ instances: 1 }).pass(5_000);
  world.takeTranscript();
  world.send(memoryExceeded(1)).pass(5_000);
  world.send(memoryExceeded(2)).pass(60_000);
  world.send(memoryExceeded(2)).pass(1_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 worker.memory-exceeded w1",
      "  5000   -> fork w2 into 0 (g1)",
      "  5200 worker.ready w2",
      "  5200   -> order w1 to retire",
      "  5250 worker.exited w1 0",
      " 10000 worker.memory-exceeded w2",
      " 70000 worker.memory-exceeded w2",
      " 70000   -> fork w3 into 0 (g1)",
      " 70200 worker.ready w3",
      " 70200   -> order w2 to retire",
      " 70250 worker.exited w2 0",
    ]
  `);
});

test('forks that fail are retried with growing delays, and are no unstable exits', () => {
  let refusals = 3;
  const world = new World({
    instances: 1,
    behave: () => (refusals-- > 0 ? { refused: 'spawn EAGAIN' } : HEALTHY),
  }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "     0   -> fork w1 into 0 (g1)",
      "     0 fork.failed w1",
      "   100   -> fork w2 into 0 (g1)",
      "   100 fork.failed w2",
      "   250   -> fork w3 into 0 (g1)",
      "   250 fork.failed w3",
      "   475   -> fork w4 into 0 (g1)",
      "   675 worker.ready w4",
    ]
  `);
});

test('an invalid configuration that the first worker reports ends the service at once', () => {
  const failure = { code: 5, message: 'Invalid configuration: PORT' };
  const world = new World({
    instances: 2,
    behave: () => ({ exitsAfter: 100, code: 5, failure, leavesAfter: 10 }),
  }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "     0   -> fork w1 into 0 (g1)",
      "     0   -> fork w2 into 1 (g1)",
      "   100 worker.boot-failed w1 Invalid configuration: PORT",
      "   100 worker.exited w1 5",
      "   100   -> order w2 to stop",
      "   100 worker.boot-failed w2 Invalid configuration: PORT",
      "   100 worker.exited w2 5",
      "   100   -> exit 5",
    ]
  `);
  expect(world.exitCode).toBe(5);
});

/** The intervals between the forks. */
const intervals = ({ forks }: World): number[] => forks.slice(1).map((at, index) => at - (forks[index] ?? 0));

test("a worker that crashes at boot is retried without end, with PM2's delays to the millisecond", () => {
  const world = new World({ instances: 1, policy: { expBackoffRestartDelayMs: 100 } }).pass(5_000);
  world.behave = () => ({ exitsAfter: 0, code: 1 });
  world.crash(1).pass(200_000);
  expect(intervals(world).slice(1, 18)).toEqual([
    100, 150, 225, 337, 505, 757, 1_135, 1_702, 2_553, 3_829, 5_743, 8_614, 12_921, 15_000, 15_000, 15_000,
    15_000,
  ]);
  expect(world.exitCode).toBeUndefined();
  world.behave = () => HEALTHY;
  world.pass(20_000);
  expect(world.serving).toBe(1);
});

test('a stable worker resets the delays', () => {
  const uptimes = [100, 100, 100, 5_000, 100, 100];
  const world = new World({
    instances: 1,
    policy: { expBackoffRestartDelayMs: 100 },
    behave: ({ id }) => ({ readyAfter: 50, exitsAfter: uptimes[id - 1] ?? 1e9, code: 1 }),
  }).pass(20_000);
  expect(intervals(world).map((pause, index) => pause - (uptimes[index] ?? 0))).toEqual([
    100, 150, 225, 0, 100, 150,
  ]);
});

test('a late crash loop, ready but never for min_uptime: errored after max_restarts', () => {
  const world = new World({
    instances: 2,
    policy: { minUptimeMs: 10_000, maxRestarts: 3 },
    behave: ({ slot }) => (slot === 0 ? { readyAfter: 200, exitsAfter: 5_000, code: 1 } : HEALTHY),
  }).pass(60_000);
  expect(world.transcript.filter(line => !line.includes('w2'))).toMatchInlineSnapshot(`
    [
      "     0   -> fork w1 into 0 (g1)",
      "   200 worker.ready w1",
      "   200   -> lend 1 to w1",
      "   200   -> return 1 from w1",
      "  5000 worker.exited w1 1",
      "  5000   -> fork w3 into 0 (g1)",
      "  5200 worker.ready w3",
      " 10000 worker.exited w3 1",
      " 10000   -> fork w4 into 0 (g1)",
      " 10200 worker.ready w4",
      " 15000 worker.exited w4 1",
    ]
  `);
  expect(world.pool.slots[0]).toMatchObject({ at: 'errored', history: { unstable: 3 } });
  expect(world.serving).toBe(1);
});

test('crashes that come late in the boot count, too', () => {
  const world = new World({
    instances: 1,
    policy: { maxRestarts: 4 },
    behave: () => ({ exitsAfter: 2_500, code: 1 }),
  }).pass(60_000);
  expect(world.forks).toEqual([0, 2_500, 5_000, 7_500]);
  expect(world.exitCode).toBe(3);
});

/** Slot 0 crashes at boot until it is errored; slot 1 serves. */
function withAnErroredSlot(): World {
  const world = new World({ instances: 2, policy: { maxRestarts: 2, restartDelayMs: 100 } }).pass(5_000);
  world.behave = () => ({ exitsAfter: 50, code: 1 });
  world.crash(1).pass(5_000);
  expect(world.pool.slots[0]).toMatchObject({ at: 'errored', history: { unstable: 2 } });
  world.takeTranscript();
  return world;
}

test('scale restarts an errored slot with new counters', () => {
  const world = withAnErroredSlot();
  world.send({ type: 'scale', instances: 2 }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      " 10000 scale 2",
      " 10000   -> fork w5 into 0 (g1)",
      " 10050 worker.exited w5 1",
      " 10150   -> fork w6 into 0 (g1)",
      " 10200 worker.exited w6 1",
    ]
  `);
});

test('a reload restarts an errored slot with new counters', () => {
  const world = withAnErroredSlot();
  world.behave = () => HEALTHY;
  world.send({ type: 'reload.requested' }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      " 10000 reload.requested",
      " 10000   -> load",
      " 10000 reload.read g2 x2",
      " 10000   -> fork w5 into 0 (g2)",
      " 10200 worker.ready w5",
      " 10200   -> return 0 from w2",
      " 11200   -> fork w6 into 1 (g2)",
      " 11400 worker.ready w6",
      " 11400   -> order w2 to retire",
      " 11450 worker.exited w2 0",
      " 11450   -> reload.ended well",
    ]
  `);
  expect(world.pool.slots[0]?.history).toMatchObject({ unstable: 0, forkFailures: 0 });
});

test('scale below slots in backoff removes them without a fork', () => {
  const world = new World({ instances: 4, policy: { restartDelayMs: 3_000 } }).pass(5_000);
  world.behave = () => ({ exitsAfter: 0, code: 1 });
  world.crash(3).crash(4).pass(100);
  expect(world.pool.slots.map(({ at }) => at)).toEqual(['ready', 'ready', 'backoff', 'backoff']);
  world.takeTranscript();
  world.send({ type: 'scale', instances: 2 }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5100 scale 2",
    ]
  `);
});

test('scale up does not shorten a backoff', () => {
  const world = new World({ instances: 2, policy: { restartDelayMs: 3_000 } }).pass(5_000);
  world.behave = ({ now }) => (now < 6_000 ? { exitsAfter: 0, code: 1 } : HEALTHY);
  world.crash(2).pass(1_000);
  world.takeTranscript();
  world.send({ type: 'scale', instances: 3 }).pass(5_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  6000 scale 3",
      "  6000   -> lend 2 to w1",
      "  6000   -> fork w4 into 2 (g1)",
      "  6200 worker.ready w4",
      "  6200   -> return 2 from w1",
      "  8000   -> fork w5 into 1 (g1)",
      "  8200 worker.ready w5",
      "  8200   -> return 1 from w1",
    ]
  `);
});

test('scale up during a reload: forked at once with the old build until the canary is trusted, then replaced', () => {
  const world = new World({ instances: 1 }).pass(5_000);
  world.send({ type: 'reload.requested' }).pass(100);
  world.takeTranscript();
  world.send({ type: 'scale', instances: 2 }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5100 scale 2",
      "  5100   -> lend 1 to w1",
      "  5100   -> fork w3 into 1 (g1)",
      "  5200 worker.ready w2",
      "  5300 worker.ready w3",
      "  5300   -> return 1 from w1",
      "  6200   -> order w1 to retire",
      "  6200   -> fork w4 into 1 (g2)",
      "  6250 worker.exited w1 0",
      "  6400 worker.ready w4",
      "  6400   -> order w3 to retire",
      "  6450 worker.exited w3 0",
      "  6450   -> reload.ended well",
    ]
  `);
});

test('scale down during a reload: a worker that is being replaced drains, and so does its successor', () => {
  const world = new World({ instances: 3 }).pass(5_000);
  world.behave = ({ slot }) => ({ ...HEALTHY, readyAfter: slot === 1 ? 2_000 : 200 });
  world.send({ type: 'reload.requested' }).pass(1_500);
  world.takeTranscript();
  world.send({ type: 'scale', instances: 1 }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  6500 scale 1",
      "  6500   -> order w2 to retire",
      "  6500   -> order w5 to retire",
      "  6500   -> order w3 to retire",
      "  6500   -> lend 1 to w4",
      "  6500   -> lend 2 to w4",
      "  6550 worker.exited w2 0",
      "  6550 worker.exited w5 0",
      "  6550 worker.exited w3 0",
      "  6550   -> reload.ended well",
    ]
  `);
});

test('a worker killed while it starts is an unstable exit', () => {
  const world = new World({ instances: 1, policy: { restartDelayMs: 500 } }).pass(100);
  world.takeTranscript();
  world.crash(1, { signal: 'SIGKILL' }).pass(1_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "   100 worker.exited w1 SIGKILL",
      "   600   -> fork w2 into 0 (g1)",
      "   800 worker.ready w2",
    ]
  `);
});

test('a worker that is killed while it drains is not replaced', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'scale', instances: 1 }).pass(10).crash(2, { signal: 'SIGKILL' }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 scale 1",
      "  5000   -> order w2 to retire",
      "  5000   -> lend 1 to w1",
      "  5010 worker.exited w2 SIGKILL",
    ]
  `);
});

test('a worker that is killed while it is replaced leaves its slot to its successor', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.send({ type: 'reload.requested' }).pass(100).crash(1, { signal: 'SIGKILL' }).pass(10_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x2",
      "  5000   -> fork w3 into 0 (g2)",
      "  5100 worker.exited w1 SIGKILL",
      "  5100   -> lend 0 to w2",
      "  5200 worker.ready w3",
      "  5200   -> return 0 from w2",
      "  6200   -> fork w4 into 1 (g2)",
      "  6400 worker.ready w4",
      "  6400   -> order w2 to retire",
      "  6450 worker.exited w2 0",
      "  6450   -> reload.ended well",
    ]
  `);
});

test('a jump of the clock by an hour costs no serving worker', () => {
  const world = new World({ instances: 3 }).pass(5_000);
  world.send({ type: 'reload.requested' }).pass(500);
  world.takeTranscript();
  world.jump(3_600_000).pass(0);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "3605500   -> order w1 to retire",
      "3605500   -> fork w5 into 1 (g2)",
    ]
  `);
  world.pass(10_000);
  expect(world.serving).toBe(3);
});

test('a jump of the clock by an hour: late messages count before timeouts', () => {
  const starting = new World({ instances: 1 }).jump(3_600_000);
  expect(starting.pass(5_000).transcript).toMatchInlineSnapshot(`
    [
      "     0   -> fork w1 into 0 (g1)",
      "3600000 worker.ready w1",
    ]
  `);
  const stopping = new World({ instances: 1 }).pass(5_000);
  stopping.takeTranscript();
  stopping.send({ type: 'stop', how: 'drain' }).jump(3_600_000);
  expect(stopping.transcript).toMatchInlineSnapshot(`
    [
      "  5000 stop drain",
      "  5000   -> order w1 to stop",
      "3605000 worker.exited w1 0",
      "3605000   -> exit 0",
    ]
  `);
});

test('a fork that fails aborts a reload, which changes nothing', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.behave = () => ({ refused: 'spawn ENOMEM' });
  world.send({ type: 'reload.requested' }).pass(60_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x2",
      "  5000   -> fork w3 into 0 (g2)",
      "  5000 fork.failed w3",
      "  5000   -> reload.ended aborted: the new worker of slot 0 failed to start: spawn ENOMEM",
    ]
  `);
  expect(world.serving).toBe(2);
});

test('a fork that fails later in a reload aborts it; the slots with new workers keep them', () => {
  const world = new World({ instances: 2 }).pass(5_000);
  world.takeTranscript();
  world.behave = ({ slot }) => (slot === 1 ? { refused: 'spawn ENOMEM' } : HEALTHY);
  world.send({ type: 'reload.requested' }).pass(60_000);
  expect(world.transcript).toMatchInlineSnapshot(`
    [
      "  5000 reload.requested",
      "  5000   -> load",
      "  5000 reload.read g2 x2",
      "  5000   -> fork w3 into 0 (g2)",
      "  5200 worker.ready w3",
      "  6200   -> order w1 to retire",
      "  6200   -> fork w4 into 1 (g2)",
      "  6200 fork.failed w4",
      "  6200   -> reload.ended aborted: the new worker of slot 1 failed to start: spawn ENOMEM",
      "  6250 worker.exited w1 0",
    ]
  `);
  expect(world.pool.slots.map(({ history }) => history.generation)).toEqual([2, 1]);
});

describe('a pool of 1 024 slots', () => {
  const MANY = 1_024;

  test('starts, reloads, crashes, scales and stops like any other', () => {
    const world = new World({ instances: MANY }).pass(5_000);
    expect(world.serving).toBe(MANY);
    for (let id = 1; id <= MANY; id += 2) world.crash(id);
    expect(world.serving).toBe(MANY / 2);
    world.pass(1_000);
    expect(world.serving).toBe(MANY);
    expect(world.pool.lent.size).toBe(0);

    world.send({ type: 'reload.requested' }).pass(1_000 + 201 * MANY);
    expect(world.pool).toMatchObject({ reload: undefined, generation: 2, draining: [] });
    expect(world.pool.slots.every(({ history }) => history.generation === 2)).toBe(true);
    expect(world.forks).toHaveLength(MANY + MANY / 2 + MANY);

    world.send({ type: 'scale', instances: 1 }).pass(1_000);
    expect(world.alive.size).toBe(1);
    expect(world.pool.lent.size).toBe(MANY - 1);
    world.send({ type: 'scale', instances: MANY }).pass(1_000);
    expect(world.serving).toBe(MANY);

    world.send({ type: 'stop', how: 'drain' }).pass(50);
    expect(world.exitCode).toBe(0);
    expect(world.alive.size).toBe(0);
  });

  test('that all hang at boot are ordered to drain at the same time and retried', () => {
    const world = new World({ instances: MANY, behave: () => ({}) }).pass(3_000);
    const orders = world.transcript.filter(line => line.includes('to retire'));
    expect(orders).toHaveLength(MANY);
    expect(world.forks).toHaveLength(2 * MANY);
    world.behave = () => HEALTHY;
    world.pass(10_000);
    expect(world.serving).toBe(MANY);
    expect(world.alive.size).toBe(MANY);
  });
});
