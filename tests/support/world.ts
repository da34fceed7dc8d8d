/**
 * A simulated machine under the supervisor's core: processes that boot, serve, crash and leave in simulated time.
 * Everything that happens is kept as a transcript, a line each.
 */
import type {
  Effect,
  Event,
  Millis,
  Notice,
  Outcome,
  Policy,
  Pool,
  WorkerId,
} from '../../src/supervisor/core/model.js';
import { createPool, step } from '../../src/supervisor/core/step.js';
import { nextWake } from '../../src/supervisor/core/wake.js';
import { abortText, successorLostText } from '../../src/supervisor/report/wording.js';

/** How a process behaves, decided when it is forked. `undefined` = never. */
export interface Behaviour {
  readonly readyAfter?: Millis | undefined;
  /** Exits by itself so long after the fork. */
  readonly exitsAfter?: Millis | undefined;
  readonly code?: number;
  readonly signal?: string;
  /** Exits so long after the order to stop; `undefined` = ignores the order. */
  readonly leavesAfter?: Millis | undefined;
  /** What it says before it exits by itself. */
  readonly failure?: { readonly code: number; readonly message: string };
  /** The fork itself is refused. */
  readonly refused?: string;
}

export const HEALTHY: Behaviour = { readyAfter: 200, leavesAfter: 50 };

export const POLICY: Policy = {
  waitReady: true,
  listenTimeoutMs: 3_000,
  killTimeoutMs: 1_600,
  minUptimeMs: 1_000,
  maxRestarts: 16,
  restartDelayMs: 0,
  expBackoffRestartDelayMs: 0,
  autorestart: true,
  isJob: false,
  stopExitCodes: [],
};

interface Process {
  readonly id: WorkerId;
  readonly slot: number;
  readonly behaviour: Behaviour;
  ordered: boolean;
}

interface Scheduled {
  readonly at: Millis;
  readonly happen: () => void;
}

export interface WorldOptions {
  readonly instances: number;
  readonly policy?: Partial<Policy>;
  readonly behave?: (fork: {
    readonly id: WorkerId;
    readonly slot: number;
    readonly generation: number;
    readonly now: Millis;
  }) => Behaviour;
  /** Where the lines of the transcript go. */
  readonly transcript?: string[];
  /** Called after every step, for invariants. */
  readonly inspect?: (world: World, event: Event, before: Pool, outcome: Outcome) => void;
}

export class World {
  now: Millis = 0;
  pool: Pool;
  exitCode: number | undefined;
  readonly transcript: string[];
  readonly alive = new Map<WorkerId, Process>();
  readonly forks: Millis[] = [];
  readonly policy: Policy;
  /** What the next reading of the app file gives; `undefined` = an invalid file. */
  file: { policy: Policy; instances: number } | undefined;
  behave: NonNullable<WorldOptions['behave']>;
  private readonly inspect: WorldOptions['inspect'];
  private agenda: Scheduled[] = [];
  private generation = 1;

  constructor({ instances, policy, behave, transcript, inspect }: WorldOptions) {
    this.policy = { ...POLICY, ...policy };
    this.pool = createPool(this.policy, instances);
    this.file = { policy: this.policy, instances };
    this.behave = behave ?? (() => HEALTHY);
    this.transcript = transcript ?? [];
    this.inspect = inspect;
    this.send({ type: 'wake' });
  }

  /** Lets an event happen now. */
  send(event: Event): this {
    const before = this.pool;
    const { pool, effects, notices } = step(before, event, this.now);
    this.pool = pool;
    if (event.type !== 'wake') this.note(describeEvent(event));
    for (const notice of notices)
      if (notice.type === 'memory-restart.failed') this.note(`  -> ${describeNotice(notice)}`);
    for (const effect of effects) this.note(`  -> ${describeEffect(effect)}`);
    this.inspect?.(this, event, before, { pool, effects, notices });
    for (const effect of effects) this.perform(effect);
    return this;
  }

  /** Lets simulated time pass. */
  pass(ms: Millis): this {
    const until = this.now + ms;
    for (;;) {
      const wake = nextWake(this.pool) ?? Infinity;
      const next = this.agenda[0]?.at ?? Infinity;
      if (Math.min(wake, next) > until) break;
      this.now = Math.max(this.now, Math.min(wake, next));
      if (next <= wake) this.agenda.shift()?.happen();
      else this.send({ type: 'wake' });
    }
    this.now = until;
    return this;
  }

  /** The clock jumps: what fell due meanwhile happens now, and no timer fired in between. */
  jump(ms: Millis): this {
    this.now += ms;
    for (const limit = this.now; (this.agenda[0]?.at ?? Infinity) <= limit;) this.agenda.shift()?.happen();
    return this;
  }

  /** A worker ends by itself, now. */
  crash(id: WorkerId, how: { readonly code?: number; readonly signal?: string } = { code: 1 }): this {
    if (!this.alive.delete(id)) return this;
    return this.send({
      type: 'worker.exited',
      worker: id,
      code: how.signal === undefined ? (how.code ?? 0) : null,
      signal: how.signal ?? null,
    });
  }

  /** A worker drains by itself from now on, and is gone so much later. */
  leave(id: WorkerId, code: number, drainMs: Millis): this {
    if (!this.alive.has(id)) return this;
    this.send({ type: 'worker.draining', worker: id, code });
    this.later(drainMs, () => this.crash(id, { code }));
    return this;
  }

  /** What has happened since the last look. */
  takeTranscript(): string[] {
    return this.transcript.splice(0);
  }

  get serving(): number {
    return this.pool.slots.filter(({ at }) => at === 'ready' || at === 'replacing').length;
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case 'fork':
        return this.fork(effect);
      case 'order':
        return this.orderOut(effect.worker);
      case 'kill':
        return this.later(1, () => this.crash(effect.worker, { signal: 'SIGKILL' }));
      case 'load':
        this.send(
          this.file === undefined
            ? { type: 'reload.refused' }
            : { type: 'reload.read', generation: ++this.generation, ...this.file },
        );
        return undefined;
      case 'exit':
        this.exitCode = effect.verdict.code;
        return undefined;
      default:
        return undefined;
    }
  }

  private fork({ worker: id, slot, generation }: Extract<Effect, { type: 'fork' }>): void {
    const behaviour = this.behave({ id, slot, generation, now: this.now });
    this.forks.push(this.now);
    const { refused, readyAfter, exitsAfter, code = 1, signal, failure } = behaviour;
    if (refused !== undefined)
      return this.later(0, () => this.send({ type: 'fork.failed', worker: id, message: refused }));
    this.alive.set(id, { id, slot, behaviour, ordered: false });
    if (readyAfter !== undefined)
      this.later(readyAfter, () => this.alive.has(id) && this.send({ type: 'worker.ready', worker: id }));
    if (exitsAfter === undefined) return;
    this.later(exitsAfter, () => {
      if (!this.alive.has(id)) return;
      if (failure !== undefined) this.send({ type: 'worker.boot-failed', worker: id, failure });
      this.crash(id, signal === undefined ? { code } : { signal });
    });
  }

  private orderOut(id: WorkerId): void {
    const worker = this.alive.get(id);
    if (worker === undefined || worker.ordered) return;
    worker.ordered = true;
    const { leavesAfter } = worker.behaviour;
    if (leavesAfter !== undefined) this.later(leavesAfter, () => this.crash(id, { code: 0 }));
  }

  private later(ms: Millis, happen: () => void): void {
    const at = this.now + ms;
    const place = this.agenda.findLastIndex(earlier => earlier.at <= at) + 1;
    this.agenda.splice(place, 0, { at, happen });
  }

  private note(line: string): void {
    this.transcript.push(`${String(this.now).padStart(6)} ${line}`);
  }
}

function describeEvent(event: Event): string {
  switch (event.type) {
    case 'worker.exited':
      return `worker.exited w${event.worker} ${event.signal ?? event.code}`;
    case 'worker.draining':
      return `worker.draining w${event.worker} ${event.code}`;
    case 'worker.boot-failed':
      return `worker.boot-failed w${event.worker} ${event.failure.message}`;
    case 'reload.read':
      return `reload.read g${event.generation} x${event.instances}`;
    case 'scale':
      return `scale ${event.instances}`;
    case 'stop':
      return `stop ${event.how}`;
    default:
      return 'worker' in event ? `${event.type} w${event.worker}` : event.type;
  }
}

/** An effect as a line of a transcript. */
export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case 'fork':
      return `fork w${effect.worker} into ${effect.slot} (g${effect.generation})`;
    case 'order':
      return `order w${effect.worker} to ${effect.how}`;
    case 'kill':
      return `kill w${effect.worker}`;
    case 'reload.ended':
      return `reload.ended ${effect.aborted === undefined ? 'well' : `aborted: ${abortText(effect.aborted)}`}`;
    case 'lend':
      return `lend ${effect.slot} to w${effect.to}`;
    case 'return':
      return `return ${effect.slot} from w${effect.from}`;
    case 'exit':
      return `exit ${effect.verdict.code}`;
    case 'load':
      return 'load';
  }
}

/** A notice as a line of a transcript; only those that tell what no effect and no event tells. */
export function describeNotice(notice: Notice): string {
  return notice.type === 'memory-restart.failed'
    ? `memory-restart.failed ${notice.slot}: ${successorLostText(notice)}`
    : notice.type;
}
