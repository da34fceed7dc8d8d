/**
 * Random lives of a simulated service: crashes, hangs, slow boots, failed forks, memory, reloads of good, broken and
 * invalid builds, scaling, stops, clock jumps and late messages in any order. Invariants are checked after every event.
 * The same seed gives the same life.
 */
import type {
  Effect,
  Event,
  Millis,
  Policy,
  Pool,
  Starting,
  WorkerId,
} from '../../src/supervisor/core/model.js';
import { workersOf } from '../../src/supervisor/core/pool.js';
import { nextWake } from '../../src/supervisor/core/wake.js';
import { memoryExceeded } from '../supervisor/core/events.js';
import { HEALTHY, World, type Behaviour } from './world.js';

/** The longest kill_timeout of any life. */
const LONGEST_KILL_TIMEOUT_MS = 1_600;

interface Random {
  /** `true` with this probability. */
  chance(probability: number): boolean;
  /** A whole number from 0 to `limit`, which is excluded. */
  upTo(limit: number): number;
  pick<T>(...choices: readonly T[]): T;
}

/** mulberry32: small, fast, and the same everywhere. */
function createRandom(seed: number): Random {
  let state = seed;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  const upTo = (limit: number): number => Math.floor(next() * limit);
  return {
    chance: probability => next() < probability,
    upTo,
    pick: <T>(...choices: readonly T[]): T => choices[upTo(choices.length)] as T,
  };
}

/** Checks an invariant; `expect` would be too slow for millions of checks. */
function assert(condition: boolean, invariant: string): void {
  if (!condition) throw new Error(invariant);
}

/** What the invariants need to know about the life so far. */
interface Memory {
  reloadsRequested: number;
  filesRead: number;
  reloadsBegun: number;
  reloadsEnded: number;
  exits: number;
  newest: WorkerId;
  readonly ordered: Set<WorkerId>;
  /** The time by which the service must have ended; infinite until it stops. */
  endsBy: number;
  /** How many slots must be served at any time. */
  minServed: number;
  readonly tally: Tally;
}

/** How often each event, effect, notice and state occurred: `event wake`, `state ready`. What never occurs is not tested. */
export type Tally = Map<string, number>;

function count(tally: Tally, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}

const TURNS = 25;

/** A life that broke an invariant, with everything that happened in it. */
export class BrokenLife extends Error {
  readonly seed: number;
  readonly transcript: readonly string[];

  constructor(seed: number, transcript: readonly string[], cause: Error) {
    super(`seed ${seed}: ${cause.message}`, { cause });
    this.seed = seed;
    this.transcript = transcript;
  }
}

/**
 * Lives one life, from its start until the service has ended.
 * @returns its transcript and how long it lasted
 * @throws BrokenLife
 */
export function live(
  seed: number,
  tally: Tally,
): { readonly transcript: readonly string[]; readonly lasted: Millis } {
  const random = createRandom(seed);
  const memory: Memory = {
    reloadsRequested: 0,
    filesRead: 0,
    reloadsBegun: 0,
    reloadsEnded: 0,
    exits: 0,
    newest: 0,
    ordered: new Set(),
    endsBy: Infinity,
    minServed: 0,
    tally,
  };
  const app = { isHealthy: true };
  const transcript: string[] = [];
  try {
    const world = new World({
      instances: 1 + random.upTo(4),
      policy: pickPolicy(random),
      transcript,
      behave: () => pickBehaviour(random, app.isHealthy),
      inspect: (here, event, before, { effects, notices }) => {
        for (const { type } of notices) count(tally, `notice ${type}`);
        inspect(here, event, before, effects, memory);
      },
    });
    for (let turn = 0; turn < TURNS && world.exitCode === undefined; turn++) {
      world.pass(random.pick(0, 1, 50, 300, 1_000, 4_000));
      takeTurn(world, random, app, tally);
    }
    checkRecovery(world, memory);
    return { transcript, lasted: world.now };
  } catch (error) {
    throw new BrokenLife(seed, transcript, error as Error);
  }
}

function pickPolicy({ chance, pick }: Random): Partial<Policy> {
  const autorestart = chance(0.9);
  return {
    waitReady: chance(0.8),
    expBackoffRestartDelayMs: pick(0, 100),
    restartDelayMs: pick(0, 200),
    autorestart,
    isJob: !autorestart && chance(0.5),
    stopExitCodes: pick([], [3, 5, 6]),
    maxRestarts: pick(2, 16),
    killTimeoutMs: pick(100, LONGEST_KILL_TIMEOUT_MS),
  };
}

function pickBehaviour({ chance, upTo, pick }: Random, isHealthy: boolean): Behaviour {
  if (isHealthy && chance(0.8)) return { readyAfter: 50 + upTo(500), leavesAfter: upTo(1_000) };
  return pick<Behaviour>(
    // Crashes at boot and later.
    { exitsAfter: upTo(300), code: pick(0, 1, 3, 5), leavesAfter: 5 },
    { readyAfter: 100, exitsAfter: 100 + upTo(3_000), code: 1, leavesAfter: 5 },
    { readyAfter: 100, exitsAfter: 100 + upTo(3_000), signal: 'SIGSEGV', leavesAfter: 5 },
    // Boots slowly, too slowly, never.
    { readyAfter: 2_500, leavesAfter: 10 },
    { readyAfter: pick(undefined, 5_000), leavesAfter: 10 },
    // Ignores orders.
    { readyAfter: 100 },
    {},
    { refused: 'spawn EAGAIN' },
    { exitsAfter: 50, code: 6, failure: { code: 6, message: 'Port taken' }, leavesAfter: 5 },
  );
}

/** Lets one random thing happen. */
function takeTurn(
  world: World,
  { chance, upTo, pick }: Random,
  app: { isHealthy: boolean },
  tally: Tally,
): void {
  const serving = workersOfAll(world.pool).filter(worker => worker.at === 'serving');
  const victim = serving[upTo(serving.length)]?.id ?? 0;
  /** Any worker that ever existed, in any state. */
  const anyWorker = 1 + upTo(world.pool.lastWorker);
  const failure = { code: 1, message: 'reported too late' };
  const newFile = {
    policy: {
      ...world.policy,
      minUptimeMs: pick(100, 1_000, 3_000),
      killTimeoutMs: pick(100, LONGEST_KILL_TIMEOUT_MS),
    },
    instances: 1 + upTo(4),
  };
  const jump = (ms: number): void => {
    count(tally, 'event jump');
    world.jump(ms).pass(0);
  };
  pick<() => unknown>(
    () => world.send({ type: 'reload.requested' }),
    () => world.send({ type: 'reload.requested' }),
    () => world.send({ type: 'scale', instances: 1 + upTo(6) }),
    () => world.crash(victim, pick({ code: 1 }, { signal: 'SIGKILL' }, { code: 0 })),
    () => world.crash(anyWorker, pick({ code: 1 }, { signal: 'SIGKILL' }, { code: 0 })),
    () => world.send(memoryExceeded(pick(victim, anyWorker), chance(0.5))),
    () => world.send({ type: 'worker.listening', worker: anyWorker }),
    () => world.leave(pick(victim, anyWorker), pick(0, 1), upTo(2_000)),
    () => world.send({ type: 'worker.unresponsive', worker: pick(victim, anyWorker), blockedMs: 30 }),
    () => world.send({ type: 'worker.responsive', worker: pick(victim, anyWorker) }),
    () => world.alive.has(anyWorker) && world.send({ type: 'worker.ready', worker: anyWorker }),
    () => world.send({ type: 'worker.boot-failed', worker: anyWorker, failure }),
    () => world.send({ type: 'worker.hung', worker: pick(victim, anyWorker), blockedMs: 60_000 }),
    () => world.send({ type: 'worker.exited', worker: 9_999, code: 1, signal: null }),
    () => (app.isHealthy = !app.isHealthy),
    () => (world.file = pick(undefined, newFile)),
    () => chance(0.1) && world.send({ type: 'stop', how: pick('drain', 'now') }),
    () => world.pool.verdict === undefined && jump(pick(5_000, 3_600_000)),
    () => undefined,
  )();
}

/** At the end of every life the app is healthy: every slot recovers, a reload keeps all slots served, a stop leaves nothing. */
function checkRecovery(world: World, memory: Memory): void {
  world.behave = () => HEALTHY;
  world.pass(120_000);
  if (world.pool.verdict === undefined) {
    world.send({ type: 'scale', instances: 3 }).pass(120_000);
    assert(world.serving === 3, 'every slot recovers once the app is healthy');
    assert(world.pool.reload === undefined, 'a reload ends');
    assert(world.alive.size === 3, 'no other process is left');

    const { generation, fromFile, policy } = world.pool;
    world.file = { policy, instances: fromFile };
    memory.minServed = 3;
    world.send({ type: 'reload.requested' }).pass(60_000);
    assert(
      world.pool.reload === undefined && world.pool.generation > generation,
      'a healthy reload succeeds',
    );
    assert(
      workersOfAll(world.pool).every(worker => worker.generation === world.pool.generation),
      'a reload replaces every worker',
    );
    memory.minServed = 0;
    world.send({ type: 'stop', how: 'drain' }).pass(LONGEST_KILL_TIMEOUT_MS + 10);
  }
  assert(world.exitCode !== undefined, 'a stop ends within kill_timeout');
  assert(memory.exits === 1, 'the service ends once');
  assert(world.alive.size === 0, 'no process is left');
  assert(memory.reloadsEnded === memory.reloadsBegun, 'every reload that begins ends once');
}

const workersOfAll = ({ slots }: Pool): ReturnType<typeof workersOf> => slots.flatMap(workersOf);

const served = ({ slots }: Pool): number =>
  slots.filter(({ at }) => at === 'ready' || at === 'replacing').length;

function inspect(world: World, event: Event, before: Pool, effects: readonly Effect[], memory: Memory): void {
  const { pool, now } = world;
  const workers = workersOfAll(pool);
  count(memory.tally, `event ${event.type}`);
  for (const { type } of effects) count(memory.tally, `effect ${type}`);
  for (const { at } of pool.slots) count(memory.tally, `state ${at}`);
  assert(
    workers.length <= Math.max(pool.wanted, before.wanted) + 1,
    'at most one worker more than wanted, without draining ones',
  );
  assert(pool.slots.filter(({ at }) => at === 'replacing').length <= 1, 'one slot at a time is replaced');
  assert(!pool.slots.some(({ at }) => at === 'vacant'), 'no slot stays vacant');
  assert((nextWake(pool) ?? Infinity) > now, 'the next wake is in the future');
  const mayLoseSlot =
    ['worker.exited', 'worker.draining', 'stop'].includes(event.type) || pool.wanted < before.slots.length;
  assert(
    mayLoseSlot || served(pool) >= served(before),
    'only an exit, a drain or a command reduces the served slots',
  );
  assert(
    pool.verdict !== undefined || served(pool) >= memory.minServed,
    'a reload without crashes keeps all slots served',
  );
  inspectForks(world, event, before, effects, memory);
  inspectOrders(world, effects, memory);
  inspectReload(pool, event, before, effects, memory);
  inspectLentSockets(pool, workers);
  if (pool.verdict !== undefined && memory.endsBy === Infinity)
    memory.endsBy = now + LONGEST_KILL_TIMEOUT_MS + 1;
  assert(pool.ended || now <= memory.endsBy, 'a stop ends within kill_timeout');
}

/** Every fork is allowed by the policy. */
function inspectForks(
  { pool, now }: World,
  event: Event,
  before: Pool,
  effects: readonly Effect[],
  memory: Memory,
): void {
  for (const effect of effects) {
    if (effect.type !== 'fork') continue;
    assert(pool.verdict === undefined, 'nothing is forked once the service stops');
    assert(effect.worker > memory.newest, 'no worker number is used twice');
    memory.newest = effect.worker;
    const slot = before.slots[effect.slot];
    if (slot === undefined || effect.generation === pool.reload?.target) continue;
    assert(slot.at !== 'backoff' || slot.until <= now, 'no fork before the end of a backoff');
    assert(
      (slot.at !== 'errored' && slot.at !== 'stopped') || event.type === 'scale',
      'an errored or stopped slot is forked again only by a command',
    );
    const { restartDelayMs, expBackoffRestartDelayMs } = before.policy;
    assert(
      slot.at !== 'starting' ||
        restartDelayMs + expBackoffRestartDelayMs === 0 ||
        isStableAtBoot(before, slot.worker, now),
      'a crash at boot is followed by a delay if there is one',
    );
  }
  const { maxRestarts, expBackoffRestartDelayMs } = pool.policy;
  const retriesForever = expBackoffRestartDelayMs > 0 && pool.everReady;
  const active = pool.slots.filter(({ at }) => at !== 'errored' && at !== 'stopped');
  assert(
    retriesForever || active.every(({ history }) => history.unstable < maxRestarts),
    'at most max_restarts unstable exits in a row',
  );
}

/** Without `wait_ready` a worker is stable `min_uptime` after its fork, whether or not it is ready. */
function isStableAtBoot({ policy, reload }: Pool, { forkedAt }: Starting, now: Millis): boolean {
  const minUptimeMs = Math.min(policy.minUptimeMs, reload?.policy.minUptimeMs ?? Infinity);
  return !policy.waitReady && now - forkedAt >= minUptimeMs;
}

/** Only draining workers get orders or are killed, and each gets one order at most. */
function inspectOrders({ pool }: World, effects: readonly Effect[], memory: Memory): void {
  for (const effect of effects) {
    if (effect.type === 'exit') memory.exits++;
    if (effect.type !== 'order' && effect.type !== 'kill') continue;
    assert(
      pool.draining.some(({ id }) => id === effect.worker),
      'only a draining worker gets an order or is killed',
    );
    if (effect.type === 'kill') continue;
    assert(!memory.ordered.has(effect.worker), 'no worker gets an order twice');
    memory.ordered.add(effect.worker);
  }
}

function inspectLentSockets(pool: Pool, workers: ReturnType<typeof workersOf>): void {
  const isResponsive = (worker: ReturnType<typeof workersOf>[number]): boolean =>
    worker.at === 'serving' && worker.unresponsive === undefined;
  const areAllUnresponsive = !pool.slots.flatMap(workersOf).some(isResponsive);
  const accepts = (worker: ReturnType<typeof workersOf>[number]): boolean =>
    isResponsive(worker) || (areAllUnresponsive && worker.at === 'serving');
  const accepting = pool.slots.filter(slot => workersOf(slot).some(accepts)).length;
  for (const [id, borrower] of pool.lent) {
    const slot = pool.slots[id];
    assert(
      slot === undefined || !workersOf(slot).some(accepts),
      'only a socket without an accepting worker is lent',
    );
    assert(
      workers.some(worker => worker.id === borrower && accepts(worker)),
      'a borrower accepts',
    );
  }
  const mustAccept = pool.verdict === undefined && accepting > 0;
  assert(!mustAccept || pool.lent.size + accepting === pool.sockets, 'every socket has an accepting worker');
}

function inspectReload(
  pool: Pool,
  event: Event,
  before: Pool,
  effects: readonly Effect[],
  memory: Memory,
): void {
  const begins = before.reload === undefined && event.type === 'reload.read' && before.verdict === undefined;
  if (begins) memory.reloadsBegun++;
  if (event.type === 'reload.requested') memory.reloadsRequested++;
  memory.filesRead += effects.filter(({ type }) => type === 'load').length;
  memory.reloadsEnded += effects.filter(({ type }) => type === 'reload.ended').length;
  assert(memory.filesRead <= memory.reloadsRequested, 'a failed reload is not retried');
  assert(
    begins || pool.reload === undefined || before.reload !== undefined,
    'a reload begins when the app file has been read',
  );
  assert(
    pool.reload === undefined || pool.verdict === undefined || pool.draining.length > 0,
    'a stop ends a reload',
  );
}

const MUST_OCCUR = {
  event: [
    'wake worker.ready worker.listening worker.boot-failed worker.exited worker.memory-exceeded worker.draining',
    'worker.unresponsive worker.responsive worker.hung fork.failed',
    'reload.requested reload.read reload.refused scale stop jump',
  ],
  effect: ['fork order kill load reload.ended lend return exit'],
  notice: ['memory-restart.begun memory-restart.failed hang.begun hang.ended'],
  state: ['backoff starting ready replacing stopped errored'],
};

/** What must occur in many lives and has not: a change of the lives has left it untested. */
export function missing(tally: Tally): string[] {
  return Object.entries(MUST_OCCUR)
    .flatMap(([kind, lines]) => lines.flatMap(line => line.split(' ')).map(type => `${kind} ${type}`))
    .filter(what => !tally.has(what));
}
