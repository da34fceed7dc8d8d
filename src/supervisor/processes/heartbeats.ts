/**
 * The supervisor's half of the heartbeats (`worker/heartbeat.ts` is the other): a worker without a heartbeat for too
 * long is reported as unresponsive.
 *
 * Where each worker has a socket of its own, the kernel goes on filling the queue of a worker whose event loop is
 * blocked; so that its socket can be lent in time, heartbeats are fast while some worker has work. Otherwise, and while
 * a worker is alone, they are slow: enough to notice a hang, and rare enough that no idle process wakes up often.
 */
import {
  HEARTBEAT_MS,
  monotonicMs,
  SLOW_HEARTBEAT_MS,
  type Heartbeat,
  type HeartbeatRecords,
  type Pace,
} from '../../protocol/heartbeat-records.js';
import type { ToWorker } from '../../protocol/messages.js';
import type { Event, WorkerId } from '../core/model.js';

interface Limits {
  /** Interval of the heartbeats. */
  readonly intervalMs: number;
  /** How long the last heartbeat of a responsive worker may be ago. */
  readonly unresponsiveMs: number;
  /** How long heartbeats must have come again before a worker counts as responsive. */
  readonly recoveryMs: number;
  /** Interval of the checks while a worker is unresponsive. */
  readonly recheckMs: number;
  /** A check that comes so late is put off once more. */
  readonly lateMs: number;
}

const LIMITS: Readonly<Record<'fast' | 'slow', Limits>> = {
  /** Three heartbeats have failed to come; on a starved machine they flicker. */
  fast: {
    intervalMs: HEARTBEAT_MS,
    unresponsiveMs: 30,
    recoveryMs: 100,
    recheckMs: HEARTBEAT_MS,
    lateMs: 30,
  },
  slow: {
    intervalMs: SLOW_HEARTBEAT_MS,
    unresponsiveMs: SLOW_HEARTBEAT_MS + 5_000,
    recoveryMs: 0,
    recheckMs: 1_000,
    lateMs: 1_000,
  },
};

/** How long no worker must have had work before the heartbeats become slow. */
const IDLE_MS = 1_000;

export type HeartbeatReport = Extract<Event, { type: 'worker.unresponsive' | 'worker.responsive' }>;

export interface HeartbeatMonitor {
  /** This worker serves. Each worker is added once. */
  add(id: WorkerId): void;
  /** A worker has work again, after the heartbeats had become slow. */
  resume(): void;
  /** This worker drains, or has exited. */
  remove(id: WorkerId): void;
  /** This worker lives, but cannot write heartbeats any more. @returns false if it is not monitored */
  lose(id: WorkerId): boolean;
}

export interface HeartbeatNeeds {
  readonly records: HeartbeatRecords;
  /** Whether each worker has a socket of its own, which can be lent. */
  readonly lends: boolean;
  send(id: WorkerId, message: ToWorker): void;
  report(event: HeartbeatReport): void;
}

/** Times by {@link monotonicMs}. */
interface MonitoredWorker {
  readonly id: WorkerId;
  readonly record: number;
  /** When heartbeats were last requested of it. */
  requestedAt: number;
  /** When a heartbeat was last missing; `undefined` while it counts as responsive. */
  missedAt: number | undefined;
}

// oxlint-disable-next-line max-lines-per-function -- small steps that all set the one pace; what is decided stands below
export function createHeartbeatMonitor({ records, lends, send, report }: HeartbeatNeeds): HeartbeatMonitor {
  const workers = new Map<WorkerId, MonitoredWorker>();
  const checks = createCheckTimer(check);
  let limits = LIMITS.slow;
  /** When the heartbeats became fast. */
  let fastSince = 0;

  const canLend = (): boolean => lends && workers.size > 1;

  function becomeFast(): void {
    if (limits === LIMITS.fast || !canLend()) return;
    fastSince = monotonicMs();
    limits = LIMITS.fast;
    requestAll('fast');
  }

  function becomeSlow(): void {
    limits = LIMITS.slow;
    requestAll(canLend() ? 'slow-until-busy' : 'slow');
  }

  function requestAll(pace: Pace): void {
    for (const worker of workers.values()) request(worker, pace);
    checks.in(limits.unresponsiveMs, limits.lateMs);
  }

  function request(worker: MonitoredWorker, pace: Pace): void {
    worker.requestedAt = monotonicMs();
    const { id, record } = worker;
    send(id, { type: 'cabe:heartbeat.start', record, file: records.file, pace });
  }

  function check(): void {
    const now = monotonicMs();
    records.refresh();
    for (const worker of workers.values()) {
      const event = assess(worker, records.of(worker.record), limits, now);
      if (event !== undefined) report(event);
    }
    const all = [...workers.values()];
    if (limits === LIMITS.fast && now - lastBusyAt(all, records, fastSince) > IDLE_MS) return becomeSlow();
    const delays = all.map(worker => delayToCheck(worker, records.of(worker.record), limits, now));
    checks.in(Math.ceil(Math.min(...delays)), limits.lateMs);
  }

  function remove(id: WorkerId): void {
    const worker = workers.get(id);
    if (worker === undefined) return;
    workers.delete(id);
    records.release(worker.record);
    send(id, { type: 'cabe:heartbeat.stop' });
    if (workers.size === 0) checks.stop();
    else if (lends && !canLend()) becomeSlow();
  }

  return {
    add(id) {
      const record = workers.has(id) ? undefined : records.reserve();
      if (record === undefined) return;
      const worker: MonitoredWorker = { id, record, requestedAt: 0, missedAt: undefined };
      workers.set(id, worker);
      if (limits === LIMITS.slow && canLend()) return becomeFast();
      request(worker, limits === LIMITS.fast ? 'fast' : 'slow');
      if (!checks.isRunning()) checks.in(limits.unresponsiveMs, limits.lateMs);
    },
    resume: becomeFast,
    remove,
    lose(id) {
      const worker = workers.get(id);
      remove(id);
      if (worker?.missedAt !== undefined) report({ type: 'worker.responsive', worker: id });
      return worker !== undefined;
    },
  };
}

/** Heartbeats cannot be missing for longer than they have been requested. */
const lastSignOf = ({ requestedAt }: MonitoredWorker, { beatAt }: Heartbeat): number =>
  Math.max(requestedAt, beatAt);

/** Notes whether a heartbeat is missing. @returns the change, if that makes one */
function assess(
  worker: MonitoredWorker,
  heartbeat: Heartbeat,
  { intervalMs, unresponsiveMs, recoveryMs }: Limits,
  now: number,
): HeartbeatReport | undefined {
  const { id, missedAt } = worker;
  const silentMs = now - lastSignOf(worker, heartbeat);
  if (silentMs >= unresponsiveMs) {
    worker.missedAt = now;
    if (missedAt !== undefined) return undefined;
    return { type: 'worker.unresponsive', worker: id, blockedMs: silentMs - intervalMs };
  }
  if (missedAt === undefined || heartbeat.beatAt - missedAt <= recoveryMs) return undefined;
  worker.missedAt = undefined;
  return { type: 'worker.responsive', worker: id };
}

function delayToCheck(
  worker: MonitoredWorker,
  heartbeat: Heartbeat,
  { unresponsiveMs, recheckMs }: Limits,
  now: number,
): number {
  return worker.missedAt === undefined ? lastSignOf(worker, heartbeat) + unresponsiveMs - now : recheckMs;
}

/** When any worker last had work; an unresponsive one may have some now, and cannot report it. */
function lastBusyAt(
  workers: readonly MonitoredWorker[],
  records: HeartbeatRecords,
  earliest: number,
): number {
  if (workers.some(({ missedAt }) => missedAt !== undefined)) return Infinity;
  return Math.max(earliest, ...workers.map(({ record }) => records.of(record).busyAt));
}

interface CheckTimer {
  isRunning(): boolean;
  /** @param lateMs a call that comes so late is put off once more */
  in(delayMs: number, lateMs: number): void;
  stop(): void;
}

/**
 * Calls back after the delay. What has kept the supervisor from checking in time, a suspended machine for example, has
 * kept the workers from their heartbeats as well.
 */
function createCheckTimer(check: () => void): CheckTimer {
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  function schedule(delayMs: number, lateMs: number): void {
    const dueAt = monotonicMs() + delayMs;
    stop();
    timer = setTimeout(() => {
      timer = undefined;
      if (monotonicMs() - dueAt > lateMs) schedule(lateMs, lateMs);
      else check();
    }, delayMs).unref();
  }

  return { isRunning: () => timer !== undefined, in: schedule, stop };
}
