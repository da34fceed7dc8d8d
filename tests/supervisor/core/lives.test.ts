/**
 * Random lives of a service, held against what must be true of every one of them: crashes, hangs, slow boots, refused
 * forks, memory, reloads of good, bad and invalid files, scales, stops, clock jumps and late messages in any order.
 *
 *     npx jest lives                      10 000 lives, the same ones every time
 *     LIVES=1000000 npx jest lives        a million (a quarter of an hour)
 *     SEED=42 npx jest lives              life number 42 alone, with its transcript
 *
 * A life that breaks a promise is reported with its seed.
 */
import type { Effect, Event, Pool, WorkerId } from '../../../src/supervisor/core/model.js';
import { workersOf } from '../../../src/supervisor/core/pool.js';
import { nextWake } from '../../../src/supervisor/core/wake.js';
import { HEALTHY, POLICY, World, type Behaviour } from '../../support/world.js';

const SEED = process.env['SEED'];
const LIVES = SEED === undefined ? Number(process.env['LIVES'] ?? 10_000) : 1;

/** The longest kill_timeout of any life. */
const LONGEST_KILL_TIMEOUT_MS = 1_600;

/** mulberry32: small, fast, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An invariant; far cheaper than `expect`, and there are millions of them. */
function must(condition: boolean, promise: string): void {
  if (!condition) throw new Error(promise);
}

/** What a life keeps an eye on. */
interface Watch {
  reloadsAsked: number;
  filesRead: number;
  reloadsBegun: number;
  reloadsEnded: number;
  exits: number;
  newest: WorkerId;
  readonly told: Set<WorkerId>;
  /** Once the service stops: when it must have ended. */
  endsBy: number;
  /** So many slots must be served, whatever happens. */
  floor: number;
}

/** What has happened in all lives together: lives in which something never happens prove nothing about it. */
const seen = new Set<string>();

function live(seed: number, begun: (world: World) => void): void {
  const next = random(seed);
  const upTo = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(...choices: readonly T[]): T => choices[upTo(choices.length)] as T;
  const watch: Watch = {
    reloadsAsked: 0,
    filesRead: 0,
    reloadsBegun: 0,
    reloadsEnded: 0,
    exits: 0,
    newest: 0,
    told: new Set(),
    endsBy: Infinity,
    floor: 0,
  };
  let healthy = true;

  const behave = (): Behaviour => {
    if (healthy && next() < 0.8) return { readyAfter: 50 + upTo(500), leavesAfter: upTo(1_000) };
    return pick<Behaviour>(
      // Crashes on boot, and after a while.
      { exitsAfter: upTo(300), code: pick(0, 1, 3, 5), leavesAfter: 5 },
      { readyAfter: 100, exitsAfter: 100 + upTo(3_000), code: 1, leavesAfter: 5 },
      { readyAfter: 100, exitsAfter: 100 + upTo(3_000), signal: 'SIGSEGV', leavesAfter: 5 },
      // Slow to boot, too slow, and never ready.
      { readyAfter: 2_500, leavesAfter: 10 },
      { readyAfter: pick(undefined, 5_000), leavesAfter: 10 },
      // Deaf to orders.
      { readyAfter: 100 },
      {},
      { refused: 'spawn EAGAIN' },
      { exitsAfter: 50, code: 6, failure: { code: 6, message: 'Port taken' }, leavesAfter: 5 },
    );
  };

  const autorestart = next() < 0.9;
  const world = new World({
    instances: 1 + upTo(4),
    policy: {
      waitReady: next() < 0.8,
      expBackoffRestartDelayMs: pick(0, 100),
      restartDelayMs: pick(0, 200),
      autorestart,
      isJob: !autorestart && next() < 0.5,
      stopExitCodes: pick([], [3, 5, 6]),
      maxRestarts: pick(2, 16),
      killTimeoutMs: pick(100, LONGEST_KILL_TIMEOUT_MS),
    },
    behave,
    inspect: (here, event, before, { effects, notices }) => {
      for (const { type } of notices) seen.add(type);
      inspect(here, event, before, effects, watch);
    },
  });
  begun(world);

  const newFile = (): World['file'] => ({
    policy: {
      ...world.policy,
      minUptimeMs: pick(100, 1_000, 3_000),
      killTimeoutMs: pick(100, LONGEST_KILL_TIMEOUT_MS),
    },
    instances: 1 + upTo(4),
  });
  const jump = (ms: number): void => {
    seen.add('jump');
    world.jump(ms).pass(0);
  };
  for (let turn = 0; turn < 25 && world.exitCode === undefined; turn++) {
    world.pass(pick(0, 1, 50, 300, 1_000, 4_000));
    const serving = world.pool.slots.flatMap(workersOf).filter(worker => worker.at === 'serving');
    const victim = serving[upTo(serving.length)]?.id ?? 0;
    /** Of any worker that ever was: it may serve, start, leave, or be long gone. */
    const anybody = 1 + upTo(world.pool.lastWorker);
    const failure = { code: 1, message: 'said too late' };
    pick<() => unknown>(
      () => world.send({ type: 'reload.requested' }),
      () => world.send({ type: 'reload.requested' }),
      () => world.send({ type: 'scale', instances: 1 + upTo(6) }),
      () => world.crash(victim, pick({ code: 1 }, { signal: 'SIGKILL' }, { code: 0 })),
      () => world.crash(anybody, pick({ code: 1 }, { signal: 'SIGKILL' }, { code: 0 })),
      () => world.send({ type: 'worker.memory-exceeded', worker: pick(victim, anybody) }),
      () => world.send({ type: 'worker.listening', worker: anybody }),
      () => world.leave(pick(victim, anybody), pick(0, 1), upTo(2_000)),
      () => world.send({ type: 'worker.unresponsive', worker: pick(victim, anybody) }),
      () => world.send({ type: 'worker.responsive', worker: pick(victim, anybody) }),
      () => world.alive.has(anybody) && world.send({ type: 'worker.ready', worker: anybody }),
      () => world.send({ type: 'worker.boot-failed', worker: anybody, failure }),
      () => world.send({ type: 'worker.exited', worker: 9_999, code: 1, signal: null }),
      () => (healthy = !healthy),
      () => (world.file = pick(undefined, newFile())),
      () => next() < 0.1 && world.send({ type: 'stop', how: pick('drain', 'now') }),
      () => world.pool.verdict === undefined && jump(pick(5_000, 3_600_000)),
      () => undefined,
    )();
  }
  endWell(world, watch);
}

/** However a life went: the app heals, every slot does; a reload costs nobody anything; a stop leaves nothing. */
function endWell(world: World, watch: Watch): void {
  world.behave = () => HEALTHY;
  world.pass(120_000);
  if (world.pool.verdict === undefined) {
    world.send({ type: 'scale', instances: 3 }).pass(120_000);
    must(world.serving === 3, 'every slot heals once the app does');
    must(world.pool.reload === undefined, 'a reload ends');
    must(world.alive.size === 3, 'no process is forgotten');

    const { generation, fromFile, policy } = world.pool;
    world.file = { policy, instances: fromFile };
    watch.floor = 3;
    world.send({ type: 'reload.requested' }).pass(60_000);
    must(world.pool.reload === undefined && world.pool.generation > generation, 'a healthy reload succeeds');
    must(
      workersOfAll(world.pool).every(worker => worker.generation === world.pool.generation),
      'a reload renews every worker',
    );
    watch.floor = 0;
    world.send({ type: 'stop', how: 'drain' }).pass(LONGEST_KILL_TIMEOUT_MS + 10);
  }
  must(world.exitCode !== undefined, 'a stop ends within kill_timeout');
  must(watch.exits === 1, 'a service ends once');
  must(world.alive.size === 0, 'nothing is left behind');
  must(watch.reloadsEnded === watch.reloadsBegun, 'every reload that begins is told to have ended, once');
}

const workersOfAll = ({ slots }: Pool): ReturnType<typeof workersOf> => slots.flatMap(workersOf);

const served = ({ slots }: Pool): number =>
  slots.filter(({ at }) => at === 'ready' || at === 'replacing').length;

function inspect(world: World, event: Event, before: Pool, effects: readonly Effect[], watch: Watch): void {
  const { pool, now } = world;
  const workers = workersOfAll(pool);
  seen.add(event.type);
  for (const { type } of effects) seen.add(type);
  for (const { at } of pool.slots) seen.add(at);
  must(
    workers.length <= Math.max(pool.wanted, before.wanted) + 1,
    'never more than wanted + 1 besides the draining',
  );
  must(pool.slots.filter(({ at }) => at === 'replacing').length <= 1, 'one slot at a time is replaced');
  must(!pool.slots.some(({ at }) => at === 'vacant'), 'no seat stays empty without a reason');
  must((nextWake(pool) ?? Infinity) > now, 'what is due is done, and the next wake lies ahead');
  const isExcused =
    ['worker.exited', 'worker.draining', 'stop'].includes(event.type) || pool.wanted < before.slots.length;
  must(isExcused || served(pool) >= served(before), 'nothing but an end or an order costs a serving slot');
  must(
    pool.verdict !== undefined || served(pool) >= watch.floor,
    'a reload without crashes costs no capacity',
  );
  inspectForks(world, event, before, effects, watch);
  inspectOrders(world, effects, watch);
  inspectReload(pool, event, before, effects, watch);
  inspectLoans(pool, workers);
  if (pool.verdict !== undefined && watch.endsBy === Infinity)
    watch.endsBy = now + LONGEST_KILL_TIMEOUT_MS + 1;
  must(pool.ended || now <= watch.endsBy, 'a stop ends within kill_timeout');
}

/** Forks are bounded by policy: each has its reason. */
function inspectForks(
  { pool, now }: World,
  event: Event,
  before: Pool,
  effects: readonly Effect[],
  watch: Watch,
): void {
  for (const effect of effects) {
    if (effect.type !== 'fork') continue;
    must(pool.verdict === undefined, 'nothing is forked once the service stops');
    must(effect.worker > watch.newest, 'no worker number is used twice');
    watch.newest = effect.worker;
    const slot = before.slots[effect.slot];
    if (slot === undefined || effect.generation === pool.reload?.target) continue;
    must(slot.at !== 'backoff' || slot.until <= now, 'a backoff is waited for');
    must(
      (slot.at !== 'errored' && slot.at !== 'stopped') || event.type === 'scale',
      'who is given up stays so until an operator says otherwise',
    );
    const { restartDelayMs, expBackoffRestartDelayMs } = before.policy;
    must(
      slot.at !== 'starting' || restartDelayMs + expBackoffRestartDelayMs === 0,
      'a crash on boot is never followed by a fork at once, where there is a delay',
    );
  }
  const { maxRestarts, expBackoffRestartDelayMs } = pool.policy;
  const keepsTrying = expBackoffRestartDelayMs > 0 && pool.everReady;
  const mayTry = pool.slots.filter(({ at }) => at !== 'errored' && at !== 'stopped');
  must(
    keepsTrying || mayTry.every(({ history }) => history.unstable < maxRestarts),
    'nobody gets more than max_restarts chances in a row',
  );
}

/** Who is told to leave, or killed, holds no seat any more; and nobody is told twice. */
function inspectOrders({ pool }: World, effects: readonly Effect[], watch: Watch): void {
  for (const effect of effects) {
    if (effect.type === 'exit') watch.exits++;
    if (effect.type !== 'order' && effect.type !== 'kill') continue;
    must(
      pool.draining.some(({ id }) => id === effect.worker),
      'only who has given up its seat is sent away',
    );
    if (effect.type === 'kill') continue;
    must(!watch.told.has(effect.worker), 'nobody is told to leave twice');
    watch.told.add(effect.worker);
  }
}

function inspectLoans(pool: Pool, workers: ReturnType<typeof workersOf>): void {
  const isHeard = (worker: ReturnType<typeof workersOf>[number]): boolean =>
    worker.at === 'serving' && worker.unresponsiveSince === undefined;
  const areAllSilent = !pool.slots.flatMap(workersOf).some(isHeard);
  const accepts = (worker: ReturnType<typeof workersOf>[number]): boolean =>
    isHeard(worker) || (areAllSilent && worker.at === 'serving');
  const accepting = pool.slots.filter(slot => workersOf(slot).some(accepts)).length;
  for (const [id, borrower] of pool.loans) {
    const slot = pool.slots[id];
    must(
      slot === undefined || !workersOf(slot).some(accepts),
      'only sockets on which nobody accepts are lent',
    );
    must(
      workers.some(worker => worker.id === borrower && accepts(worker)),
      'whoever borrows a socket accepts',
    );
  }
  const able = pool.verdict === undefined && accepting > 0;
  must(!able || pool.loans.size + accepting === pool.sockets, 'somebody accepts on every socket');
}

function inspectReload(
  pool: Pool,
  event: Event,
  before: Pool,
  effects: readonly Effect[],
  watch: Watch,
): void {
  const begins = before.reload === undefined && event.type === 'reload.read' && before.verdict === undefined;
  if (begins) watch.reloadsBegun++;
  if (event.type === 'reload.requested') watch.reloadsAsked++;
  watch.filesRead += effects.filter(({ type }) => type === 'load').length;
  watch.reloadsEnded += effects.filter(({ type }) => type === 'reload.ended').length;
  must(watch.filesRead <= watch.reloadsAsked, 'a failed reload never retries itself');
  must(
    begins || pool.reload === undefined || before.reload !== undefined,
    'a reload begins with a file that was read',
  );
  must(
    pool.reload === undefined || pool.verdict === undefined || pool.draining.length > 0,
    'a stop ends a reload',
  );
}

/** Every event, effect and state that a life can meet. */
const EVERYTHING = `
  wake worker.ready worker.listening worker.boot-failed worker.exited worker.memory-exceeded worker.draining worker.unresponsive worker.responsive fork.failed
  reload.requested reload.read reload.refused scale stop jump
  fork order kill load reload.ended memory-restart.failed lend return exit
  backoff starting ready replacing stopped errored
`
  .trim()
  .split(/\s+/);

test(
  `${SEED === undefined ? LIVES : `SEED=${SEED}:`} random lives keep every promise`,
  () => {
    const first = SEED === undefined ? 1 : Number(SEED);
    for (let seed = first; seed < first + LIVES; seed++) {
      let world: World | undefined;
      try {
        live(seed, begun => (world = begun));
      } catch (error) {
        (error as Error).message = `SEED=${seed}: ${(error as Error).message}`;
        throw error;
      } finally {
        if (SEED !== undefined) console.log(world?.transcript.join('\n'));
      }
    }
    const missed = LIVES < 1_000 ? [] : EVERYTHING.filter(thing => !seen.has(thing));
    expect(missed).toEqual([]);
  },
  60_000 + 10 * LIVES,
);

test('a crash loop without any delay is bounded by max_restarts', () => {
  const world = new World({ instances: 2, behave: () => ({ exitsAfter: 0, code: 1 }) }).pass(60_000);
  expect(world.forks).toHaveLength(2 * POLICY.maxRestarts);
  expect(world.exitCode).toBe(3);
});
