/**
 * The supervisor's half of the heartbeats (`worker/heartbeat.ts` is the other), for workers with a socket each: the
 * kernel goes on filling the queue of a socket whose worker's event loop is blocked. A worker without a heartbeat for
 * {@link UNRESPONSIVE_MS} is reported, so that its socket can be lent to another one.
 *
 * Heartbeats are requested only while some worker has work: in an idle service no process wakes up for them. A single
 * worker is never asked: there is no other that could accept for it.
 */
import { HEARTBEAT_MS, monotonicMs, type HeartbeatRecords } from '../../protocol/heartbeat-records.js';
import type { ToWorker } from '../../protocol/messages.js';
import type { Event, WorkerId } from '../core/model.js';

/** Three heartbeats have failed to come. */
const UNRESPONSIVE_MS = 30;

/** How long heartbeats must have come again before a worker counts as responsive: on a starved machine they flicker. */
const RECOVERY_MS = 100;

/** How long no worker must have had work before the heartbeats stop. */
const IDLE_MS = 1_000;

export type HeartbeatReport = Extract<Event, { type: 'worker.unresponsive' | 'worker.responsive' }>;

export interface HeartbeatMonitor {
  /** This worker serves, and accepts on a socket of its own. Each worker is added once. */
  add(id: WorkerId): void;
  /** A worker has work again, after the heartbeats had stopped. */
  resume(): void;
  /** This worker drains, or has exited. */
  remove(id: WorkerId): void;
}

export interface HeartbeatNeeds {
  readonly records: HeartbeatRecords;
  send(id: WorkerId, message: ToWorker): void;
  report(event: HeartbeatReport): void;
}

/** Times by {@link monotonicMs}. */
interface MonitoredWorker {
  readonly record: number;
  /** When heartbeats were last requested of it. */
  requestedAt: number;
  /** When a heartbeat was last missing; `undefined` while it counts as responsive. */
  missedAt: number | undefined;
}

export function createHeartbeatMonitor({ records, send, report }: HeartbeatNeeds): HeartbeatMonitor {
  const workers = new Map<WorkerId, MonitoredWorker>();
  const checks = createCheckTimer(check);
  let startedAt = 0;

  function start(): void {
    if (checks.isRunning() || workers.size < 2) return;
    startedAt = monotonicMs();
    for (const [id, worker] of workers) request(id, worker);
    checks.in(UNRESPONSIVE_MS);
  }

  function request(id: WorkerId, worker: MonitoredWorker): void {
    worker.requestedAt = monotonicMs();
    send(id, { type: 'cabe:heartbeat.start', record: worker.record });
  }

  function check(): void {
    const now = monotonicMs();
    records.refresh();
    const delays = [...workers].map(([id, worker]) => {
      const beatAt = Math.max(worker.requestedAt, records.of(worker.record).beatAt);
      const type = judge(worker, beatAt, now);
      if (type !== undefined) report({ type, worker: id });
      return worker.missedAt === undefined ? beatAt + UNRESPONSIVE_MS - now : HEARTBEAT_MS;
    });
    const busyAt = Math.max(
      startedAt,
      ...[...workers.values()].map(({ record }) => records.of(record).busyAt),
    );
    const allResponsive = [...workers.values()].every(({ missedAt }) => missedAt === undefined);
    if (now - busyAt > IDLE_MS && allResponsive) stop();
    else checks.in(Math.ceil(Math.min(...delays)));
  }

  function stop(): void {
    checks.stop();
    const until = workers.size < 2 ? 'requested' : 'busy';
    for (const [id, worker] of workers) {
      send(id, { type: 'cabe:heartbeat.stop', until });
      // Its heartbeats are not read for now: it must not count as unresponsive until they are again.
      if (worker.missedAt !== undefined) report({ type: 'worker.responsive', worker: id });
      worker.missedAt = undefined;
    }
  }

  return {
    add(id) {
      const record = workers.has(id) ? undefined : records.reserve();
      if (record === undefined) return;
      const worker: MonitoredWorker = { record, requestedAt: 0, missedAt: undefined };
      workers.set(id, worker);
      if (checks.isRunning()) request(id, worker);
      else start();
    },
    resume: start,
    remove(id) {
      const worker = workers.get(id);
      if (worker === undefined) return;
      workers.delete(id);
      records.release(worker.record);
      send(id, { type: 'cabe:heartbeat.stop', until: 'requested' });
      // Also where heartbeats had stopped: the last worker would start its own as soon as it is busy.
      if (workers.size < 2) stop();
    },
  };
}

/** Updates the worker. @returns what is new about it, if anything */
function judge(worker: MonitoredWorker, beatAt: number, now: number): HeartbeatReport['type'] | undefined {
  const { missedAt } = worker;
  if (now - beatAt >= UNRESPONSIVE_MS) {
    worker.missedAt = now;
    return missedAt === undefined ? 'worker.unresponsive' : undefined;
  }
  if (missedAt === undefined || beatAt - missedAt <= RECOVERY_MS) return undefined;
  worker.missedAt = undefined;
  return 'worker.responsive';
}

interface CheckTimer {
  isRunning(): boolean;
  in(delayMs: number): void;
  stop(): void;
}

/**
 * Calls back after the delay. A call that comes far too late is put off once more: what kept the supervisor from
 * checking, a suspended machine say, has kept the workers from their heartbeats as well.
 */
function createCheckTimer(check: () => void): CheckTimer {
  let timer: NodeJS.Timeout | undefined;
  let dueAt = 0;

  function schedule(delayMs: number): void {
    dueAt = monotonicMs() + delayMs;
    timer = setTimeout(elapsed, delayMs).unref();
  }

  function elapsed(): void {
    if (monotonicMs() - dueAt > UNRESPONSIVE_MS) schedule(UNRESPONSIVE_MS);
    else check();
  }

  return {
    isRunning: () => timer !== undefined,
    in: schedule,
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
