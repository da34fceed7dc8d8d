/**
 * The supervisor's vocabulary as types. The files of this folder are pure: they import nothing but each other, and know
 * no clock, no randomness and no process (a lint rule keeps it).
 *
 * The supervisor owns a pool of slots. A slot holds one serving worker; {@link Slot} spells out its states, each with
 * its own data only, so that "ready without a worker" cannot be written. A worker that drains, because it was ordered
 * to or on its own, gives up its slot at once and is listed as a {@link DrainingWorker}.
 *
 * The core holds no text for people. It reports facts ({@link Notice}, {@link Exit}, {@link AbortReason}), and
 * `report/` puts them into words.
 */

/** A moment or a span on the supervisor's monotonic clock, in milliseconds. */
export type Millis = number;

/** The number of a slot, from 0: what its worker sees as `NODE_APP_INSTANCE`. */
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
  /** From the order to drain to SIGKILL. */
  readonly killTimeoutMs: Millis;
  /**
   * A worker that has lived for so long is stable: its exit is no fault of the build. Counted from readiness; without
   * `wait_ready` from the fork, as PM2 does it, because such an app may have nothing that shows when it is ready.
   */
  readonly minUptimeMs: Millis;
  /** Consecutive unstable exits that make a slot errored. */
  readonly maxRestarts: number;
  readonly restartDelayMs: Millis;
  /** First delay of the exponential series; 0 = off. */
  readonly expBackoffRestartDelayMs: Millis;
  readonly autorestart: boolean;
  /** The app is a job: a worker that has exited with 0 has done it, and the next one is forked by a reload of the clock. */
  readonly isJob: boolean;
  /** A worker that exits with one of these is not replaced. */
  readonly stopExitCodes: readonly number[];
}

/** What a worker that cannot boot sends before it exits: the reason, and the exit code it announces. */
export interface BootFailure {
  readonly code: number;
  readonly message: string;
}

/** Why a worker ended, where more is known than its exit code. */
export type ExitCause =
  /** It sent a boot failure before it exited. */
  | ({ readonly type: 'boot-failed' } & BootFailure)
  /** It drained without an order, and said why. */
  | { readonly type: 'drained'; readonly reason: string }
  /** It was not ready within `listenTimeoutMs`. */
  | { readonly type: 'start-timeout'; readonly limitMs: Millis }
  /** The operating system refused the fork; `message` is the system's. */
  | { readonly type: 'fork-failed'; readonly message: string }
  /** It was replaced because it took more memory than `max_memory_restart` allows. */
  | ({ readonly type: 'memory-limit' } & MemoryExcess)
  /** The kernel killed it for want of memory. */
  | { readonly type: 'out-of-memory' }
  /** Its event loop had not turned for so long, and its watchdog killed it. */
  | { readonly type: 'hung'; readonly blockedMs: Millis };

/** In bytes. */
export interface MemoryExcess {
  readonly bytes: number;
  readonly limitBytes: number;
}

/** How a worker ended, as the operating system reports it. */
export interface Exit {
  readonly worker: WorkerId;
  /** `null` where a signal ended it, or where the fork itself failed. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly cause: ExitCause | undefined;
}

/** What a slot remembers across its workers. */
export interface History {
  /** Of the worker that was forked last. */
  readonly generation: Generation;
  /** Consecutive exits without a stable life; what backoff and `max_restarts` count. */
  readonly unstable: number;
  /** Consecutive forks that the operating system refused; they say nothing about the build. */
  readonly forkFailures: number;
  /** Workers forked to replace one that had exited or had grown too large, since the supervisor started. */
  readonly restarts: number;
  /** When those were forked that replace one that had exited: the last minute's, the oldest first. */
  readonly restartedAt: readonly Millis[];
  /** How its last workers ended, the newest first: those that ended without an order, or that had grown too large. */
  readonly exits: readonly Exit[];
  /** When it was last replaced for its memory. */
  readonly memoryRestartAt: Millis | undefined;
}

/** A worker that has been forked and is not yet ready. */
export interface Starting {
  readonly at: 'starting';
  readonly id: WorkerId;
  readonly generation: Generation;
  readonly forkedAt: Millis;
  /** When starting has failed (or, without `wait_ready`, when being alive is enough). */
  readonly deadline: Millis;
  readonly failure: BootFailure | undefined;
}

/** A worker that serves. */
export interface Serving {
  readonly at: 'serving';
  readonly id: WorkerId;
  readonly generation: Generation;
  readonly forkedAt: Millis;
  /** When it became ready. */
  readonly since: Millis;
  /** Its heartbeats have stopped: it accepts nothing until they come again. `undefined` while it is responsive. */
  readonly unresponsive: Unresponsive | undefined;
  /** For how long its event loop has not turned, once its watchdog is about to kill it. */
  readonly hungMs?: Millis;
}

export interface Unresponsive {
  readonly since: Millis;
  /** It has been unresponsive for so long that it counts as hung (`HUNG_AFTER_MS`). */
  readonly isHung: boolean;
}

export type ReplaceReason = { readonly type: 'reload' } | ({ readonly type: 'memory' } & MemoryExcess);

export type Slot = { readonly history: History } & (
  | { readonly at: 'vacant' }
  | { readonly at: 'backoff'; readonly until: Millis }
  | { readonly at: 'starting'; readonly worker: Starting }
  | { readonly at: 'ready'; readonly worker: Serving }
  /** The old worker keeps the slot until its successor has proved itself. */
  | {
      readonly at: 'replacing';
      readonly worker: Serving;
      readonly successor: Starting | Serving;
      readonly why: ReplaceReason;
    }
  /** Not restarted on purpose: `autorestart: false` or one of `stop_exit_codes`. */
  | { readonly at: 'stopped'; readonly exit: Exit }
  /** Given up: too many unstable exits in a row. */
  | { readonly at: 'errored'; readonly exit: Exit }
);

/** A worker that drains: it holds no slot any more. */
export interface DrainingWorker {
  readonly id: WorkerId;
  /** The slot it held. */
  readonly slot: SlotId;
  readonly generation: Generation;
  /** When it is killed; `undefined` once it has been. */
  readonly deadline: Millis | undefined;
  /** Ordered to drain; otherwise it drains on its own, after an uncaught exception or a signal from outside. */
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

/** Why a new worker was not trusted with its slot. */
export interface SuccessorLost {
  readonly slot: SlotId;
  readonly exit: Exit;
  /** Whether it still started, or already served but had not proved stable. */
  readonly state: 'starting' | 'serving';
}

/** Why a reload was given up. */
export type AbortReason =
  ({ readonly type: 'successor-lost' } & SuccessorLost) | { readonly type: 'service-stops' };

/** Why the service ends and with which exit code. */
export interface Verdict {
  readonly code: number;
  /** The exit that led to it, where there was one. */
  readonly exit: Exit | undefined;
}

/** What a supervisor knows of the one that it replaces. */
export interface Predecessor {
  /** See {@link Pool.wanted}. */
  readonly wanted: number;
  /** See {@link Pool.fromFile}. */
  readonly fromFile: number;
  /** See {@link Pool.sockets}. */
  readonly sockets: number;
}

export interface Pool {
  readonly policy: Policy;
  /** What newly forked workers get, outside a reload whose canary is still pending. */
  readonly generation: Generation;
  /** The number of slots to fill. */
  readonly wanted: number;
  /** The number of the app file when `wanted` last came from it. */
  readonly fromFile: number;
  readonly slots: readonly Slot[];
  readonly draining: readonly DrainingWorker[];
  readonly reload: Reload | undefined;
  /** The app file is being read for the next reload. */
  readonly loading: boolean;
  /** Another reload was requested while one runs or the app file is being read. */
  readonly reloadAgain: boolean;
  /** Sockets without an accepting worker of their own, each lent to a worker of another slot. */
  readonly lent: ReadonlyMap<SlotId, WorkerId>;
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
  | { readonly type: 'worker.boot-failed'; readonly worker: WorkerId; readonly failure: BootFailure }
  | {
      readonly type: 'worker.exited';
      readonly worker: WorkerId;
      readonly code: number | null;
      readonly signal: string | null;
      /** The kernel killed it for want of memory. */
      readonly outOfMemory?: boolean;
    }
  /** It drains on its own, and will exit with this code. */
  | {
      readonly type: 'worker.draining';
      readonly worker: WorkerId;
      readonly code: number;
      readonly reason?: string | undefined;
    }
  /** It takes more memory than `max_memory_restart` allows. */
  | ({
      readonly type: 'worker.memory-exceeded';
      readonly worker: WorkerId;
      /** It took less when it became ready; otherwise its successor would be as large. */
      readonly hasGrown: boolean;
    } & MemoryExcess)
  /** Its heartbeats have stopped, or come again (`processes/heartbeats.ts`). */
  | {
      readonly type: 'worker.unresponsive';
      readonly worker: WorkerId;
      /** How long its event loop has been blocked, at least. */
      readonly blockedMs: Millis;
    }
  | { readonly type: 'worker.responsive'; readonly worker: WorkerId }
  /** Its watchdog is about to kill it: its event loop has not turned for so long. */
  | { readonly type: 'worker.hung'; readonly worker: WorkerId; readonly blockedMs: Millis }
  | { readonly type: 'fork.failed'; readonly worker: WorkerId; readonly message: string }
  | { readonly type: 'reload.requested' }
  /** The app file was read, and is valid. */
  | {
      readonly type: 'reload.read';
      readonly generation: Generation;
      readonly policy: Policy;
      readonly instances: number;
    }
  /** The app file cannot be used: nothing changes. */
  | { readonly type: 'reload.refused' }
  | { readonly type: 'scale'; readonly instances: number }
  /** `retire`: the supervisor that has been started in its place serves. */
  | { readonly type: 'stop'; readonly how: 'drain' | 'retire' | 'now' };

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
  /** Read the app file again and answer with `reload.read` or `reload.refused`. */
  | { readonly type: 'load' }
  | { readonly type: 'reload.ended'; readonly aborted: AbortReason | undefined }
  | { readonly type: 'lend'; readonly slot: SlotId; readonly to: WorkerId }
  | { readonly type: 'return'; readonly slot: SlotId; readonly from: WorkerId }
  | { readonly type: 'exit'; readonly verdict: Verdict };

/** A fact for the log that no effect carries. */
export type Notice =
  | {
      readonly type: 'worker.exited';
      readonly worker: WorkerId;
      readonly code: number | null;
      readonly signal: string | null;
      /** It had been ordered to drain. */
      readonly ordered: boolean;
    }
  /** The kernel killed it for want of memory. */
  | { readonly type: 'worker.out-of-memory'; readonly worker: WorkerId }
  | { readonly type: 'worker.draining'; readonly worker: WorkerId }
  | { readonly type: 'worker.start-timeout'; readonly worker: WorkerId; readonly exit: Exit }
  | { readonly type: 'hang.begun'; readonly worker: WorkerId; readonly hungMs: Millis }
  | { readonly type: 'hang.ended'; readonly worker: WorkerId; readonly hungMs: Millis }
  | { readonly type: 'fork.failed'; readonly message: string }
  | { readonly type: 'slot.backoff'; readonly slot: SlotId; readonly delayMs: Millis }
  | { readonly type: 'slot.stopped'; readonly slot: SlotId; readonly exit: Exit }
  | { readonly type: 'slot.errored'; readonly slot: SlotId; readonly unstable: number }
  | ({ readonly type: 'memory-restart.begun'; readonly worker: WorkerId } & MemoryExcess)
  | ({ readonly type: 'memory-restart.failed' } & SuccessorLost)
  | { readonly type: 'reload.begun'; readonly slots: number }
  | { readonly type: 'reload.queued' }
  | { readonly type: 'scaling'; readonly from: number; readonly to: number };

/** What comes out of one event: the pool as it is now, what the shell has to do about it, and what the log says. */
export interface Outcome {
  readonly pool: Pool;
  readonly effects: readonly Effect[];
  readonly notices: readonly Notice[];
}
