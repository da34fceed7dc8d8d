/**
 * The words of the supervisor as types. Pure: it and the files that `docs/architecture.md` lists with it import nothing
 * but each other (a lint rule keeps it).
 *
 * The supervisor owns a pool of slots. A slot is a seat for one serving worker; what a seat can be is spelled
 * out in {@link Slot}, each state with its own data only, so that "ready without a worker" cannot be written.
 * A worker that has been ordered to leave, or leaves by itself, gives its seat up at once and is listed under
 * {@link Departing}.
 */

/** A moment or a span on the supervisor's monotonic clock, in milliseconds. */
export type Millis = number;

/** A seat for a worker, from 0: what the worker sees as `NODE_APP_INSTANCE`. */
export type SlotId = number;

/** One life of one process, numbered from 1 in the order of forking; never reused, unlike a pid. */
export type WorkerId = number;

/** Raised by each reload: which reading of the app file a worker was forked from. The first is 1. */
export type Generation = number;

/** How an app wants its workers to be started, restarted and stopped; one value per generation. */
export interface Policy {
  /** Readiness is the worker's word `ready`; otherwise its first `listening`, or being alive at `listenTimeoutMs`. */
  readonly waitReady: boolean;
  readonly listenTimeoutMs: Millis;
  /** From the order to leave to SIGKILL. */
  readonly killTimeoutMs: Millis;
  /** A worker that has been ready for so long is stable: its exit is no fault of the build. */
  readonly minUptimeMs: Millis;
  /** Consecutive unstable exits that make a slot errored. */
  readonly maxRestarts: number;
  readonly restartDelayMs: Millis;
  /** First delay of the exponential series; 0 = off. */
  readonly expBackoffRestartDelayMs: Millis;
  readonly autorestart: boolean;
  /** A worker that exits with one of these is not replaced. */
  readonly stopExitCodes: readonly number[];
}

/** What a worker said before it could not boot: its sentence, and the exit code it announced. */
export interface BootFailure {
  readonly code: number;
  readonly message: string;
}

/** How a worker's life ended, as the operating system told it. */
export interface Exit {
  readonly worker: WorkerId;
  /** `null` where a signal ended it, or where the fork itself failed. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The worker's own reason, or why it could not be forked. */
  readonly failure: BootFailure | undefined;
}

/** What a slot remembers across the workers that sit in it. */
export interface History {
  /** Of the worker that was forked last. */
  readonly generation: Generation;
  /** Consecutive exits without a stable life; what backoff and `max_restarts` count. */
  readonly unstable: number;
  /** Consecutive forks that the operating system refused; the build is not to blame for them. */
  readonly forkFailures: number;
  /** Workers forked to replace one that had exited, since the supervisor started. */
  readonly restarts: number;
  readonly lastExit: Exit | undefined;
  /** When it was last replaced for its memory. */
  readonly recycledAt: Millis | undefined;
}

/** A worker that has been forked and is not yet ready. */
export interface Starting {
  readonly at: 'starting';
  readonly id: WorkerId;
  readonly generation: Generation;
  /** When starting has failed (or, without `wait_ready`, when being alive is enough). */
  readonly deadline: Millis;
  readonly failure: BootFailure | undefined;
}

/** A worker that serves. */
export interface Serving {
  readonly at: 'serving';
  readonly id: WorkerId;
  readonly generation: Generation;
  /** When it became ready. */
  readonly since: Millis;
  /** Its event loop is blocked: it accepts nothing until it is heard of again. */
  readonly silent: boolean;
}

export type ReplaceReason = 'reload' | 'memory';

export type Slot = { readonly history: History } & (
  | { readonly at: 'vacant' }
  | { readonly at: 'backoff'; readonly until: Millis }
  | { readonly at: 'starting'; readonly worker: Starting }
  | { readonly at: 'ready'; readonly worker: Serving }
  /** The old worker keeps the seat until its successor has proved itself. */
  | {
      readonly at: 'replacing';
      readonly worker: Serving;
      readonly successor: Starting | Serving;
      readonly why: ReplaceReason;
    }
  /** Left alone on purpose: `autorestart: false` or one of `stop_exit_codes`. */
  | { readonly at: 'stopped'; readonly exit: Exit }
  /** Given up: too many unstable exits in a row. */
  | { readonly at: 'errored'; readonly exit: Exit }
);

/** A worker that drains: it holds no seat any more. */
export interface Departing {
  readonly id: WorkerId;
  /** The slot it sat in. */
  readonly slot: SlotId;
  readonly generation: Generation;
  /** When it is killed; `undefined` once it has been. */
  readonly deadline: Millis | undefined;
  /** Whether it was told to leave, or does so by itself: after an uncaught exception, or a signal of somebody's. */
  readonly ordered: boolean;
}

/** A reload under way. Nothing is retired before the first successor, the canary, has stayed up. */
export interface Reload {
  readonly target: Generation;
  readonly policy: Policy;
  /** The number of workers that the newly read file asks for. */
  readonly instances: number;
  readonly canary: 'pending' | 'passed';
}

/** Why the service ends and with which exit code. */
export interface Verdict {
  readonly code: number;
  /** The exit that led to it, where there was one. */
  readonly exit: Exit | undefined;
}

export interface Pool {
  readonly policy: Policy;
  /** What newly forked workers get, outside a reload whose canary is still pending. */
  readonly generation: Generation;
  /** The number of slots to fill. */
  readonly wanted: number;
  /** The number the app file asked for when `wanted` last came from it. */
  readonly fromFile: number;
  readonly slots: readonly Slot[];
  readonly departing: readonly Departing[];
  readonly reload: Reload | undefined;
  /** A further reload was asked for while one was under way. */
  readonly reloadAgain: boolean;
  /** The socket of a slot on which nobody accepts is lent to a worker of another slot. */
  readonly loans: ReadonlyMap<SlotId, WorkerId>;
  /** Slots that ever existed: their sockets stay open until the service stops. */
  readonly sockets: number;
  /** Whether any worker of this service was ever ready. */
  readonly everReady: boolean;
  readonly lastWorker: WorkerId;
  /** Set once the service stops; nothing is forked from then on. */
  readonly verdict: Verdict | undefined;
  readonly ended: boolean;
}

/** Something that happened. Workers that the pool no longer knows are ignored. */
export type Event =
  /** Time has passed: the first one fills the pool, later ones act on what {@link nextWake} announced. */
  | { readonly type: 'wake' }
  | { readonly type: 'worker.ready'; readonly worker: WorkerId }
  | { readonly type: 'worker.listening'; readonly worker: WorkerId }
  | { readonly type: 'worker.failed'; readonly worker: WorkerId; readonly failure: BootFailure }
  | {
      readonly type: 'worker.exited';
      readonly worker: WorkerId;
      readonly code: number | null;
      readonly signal: string | null;
    }
  /** It drains unasked, and is going to exit with this code. */
  | { readonly type: 'worker.leaving'; readonly worker: WorkerId; readonly code: number }
  | { readonly type: 'worker.grown'; readonly worker: WorkerId }
  /** Its pulse has stopped, or can be felt again (`pulse.ts`). */
  | { readonly type: 'worker.silent'; readonly worker: WorkerId }
  | { readonly type: 'worker.heard'; readonly worker: WorkerId }
  | { readonly type: 'fork.failed'; readonly worker: WorkerId; readonly message: string }
  | { readonly type: 'reload.asked' }
  | {
      readonly type: 'reload.read';
      readonly generation: Generation;
      readonly policy: Policy;
      readonly instances: number;
    }
  | { readonly type: 'scale'; readonly instances: number }
  | { readonly type: 'stop'; readonly how: 'drain' | 'now' };

/** Something to be done, in this order. */
export type Effect =
  | {
      readonly type: 'fork';
      readonly worker: WorkerId;
      readonly slot: SlotId;
      readonly generation: Generation;
    }
  /** Ask a worker to drain: because the service stops, or because a successor serves. */
  | { readonly type: 'order'; readonly worker: WorkerId; readonly how: 'stop' | 'retire' }
  | { readonly type: 'kill'; readonly worker: WorkerId }
  /** Read the app file again and answer with `reload.read`, or not at all if it is invalid. */
  | { readonly type: 'reread' }
  | { readonly type: 'reload.ended'; readonly aborted: string | undefined }
  | { readonly type: 'recycle.failed'; readonly slot: SlotId; readonly reason: string }
  | { readonly type: 'lend'; readonly slot: SlotId; readonly to: WorkerId }
  | { readonly type: 'return'; readonly slot: SlotId; readonly from: WorkerId }
  | { readonly type: 'exit'; readonly verdict: Verdict };

/** What comes out of one event: the pool as it is now, and what the shell has to do about it. */
export interface Outcome {
  readonly pool: Pool;
  readonly effects: readonly Effect[];
}
