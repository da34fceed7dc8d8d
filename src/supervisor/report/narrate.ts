/**
 * Every log line of the supervisor, from the core's notices and effects. The texts with "Master" and "Worker N"
 * (N = pid) are a contract: other programs read them.
 */
import type { ProcessNotice } from '../processes/workers.js';
import type { Effect, Exit, Notice, Pool, Verdict, WorkerId } from '../core/model.js';
import {
  abortText,
  causeText,
  durationText,
  endText,
  exitText,
  HEARTBEATS_LOST,
  sizeText,
  successorLostText,
} from './wording.js';

export type Level = 'info' | 'warn' | 'error' | 'fatal';

export interface Line {
  readonly level: Level;
  readonly msg: string;
}

type Pid = (worker: WorkerId) => number;

const info = (msg: string): Line => ({ level: 'info', msg });
const warn = (msg: string): Line => ({ level: 'warn', msg });
const error = (msg: string): Line => ({ level: 'error', msg });

export function narrateNotice(notice: Notice, pid: Pid): Line {
  switch (notice.type) {
    case 'worker.exited':
      return notice.ordered
        ? info(`Worker ${pid(notice.worker)} disconnected`)
        : warn(`Worker ${pid(notice.worker)} ${endText(notice)}`);
    case 'worker.out-of-memory':
      return error(`Worker ${pid(notice.worker)} was killed by the kernel: out of memory`);
    case 'worker.draining':
      return warn(`Worker ${pid(notice.worker)} drains on its own`);
    case 'worker.start-timeout':
      return error(`Worker ${pid(notice.worker)} ${exitText(notice.exit)}`);
    case 'hang.begun':
      return error(
        `Worker ${pid(notice.worker)} hangs: its event loop has been blocked for ${durationText(notice.hungMs)}`,
      );
    case 'hang.ended':
      return warn(`Worker ${pid(notice.worker)} responds again, it hung for ${durationText(notice.hungMs)}`);
    case 'fork.failed':
      return error(`Forking a worker failed: ${notice.message}`);
    case 'slot.backoff':
      return warn(`Restarting slot ${notice.slot} in ${Math.ceil(notice.delayMs)} ms (backoff)`);
    case 'slot.stopped':
      return warn(`Slot ${notice.slot} stopped: ${exitText(notice.exit)}`);
    case 'slot.errored':
      return error(`Slot ${notice.slot} errored after ${notice.unstable} unstable exits in a row`);
    case 'memory-restart.begun':
      return warn(
        `Worker ${pid(notice.worker)} exceeds max_memory_restart, replacing it: ${sizeText(notice.bytes)}, limit ${sizeText(notice.limitBytes)}`,
      );
    case 'memory-restart.failed':
      return error(`The old worker of slot ${notice.slot} stays: ${successorLostText(notice)}`);
    case 'reload.begun':
      return info(`Reloading ${notice.slots} workers`);
    case 'reload.queued':
      return info('A reload is running; another one follows it');
    case 'scaling':
      return info(`Scaling from ${notice.from} to ${notice.to} workers`);
  }
}

/** The line for a process, beside what the core says of its slot. */
export function narrateProcess(notice: ProcessNotice, pid: number): Line {
  switch (notice.type) {
    case 'worker.online':
      return info(`Worker ${pid} is online`);
    case 'worker.misbehaved':
      return error(`Worker ${pid} broke its channel: ${notice.reason}`);
    case 'worker.heartbeats-lost':
      return warn(`Worker ${pid} ${HEARTBEATS_LOST}`);
    case 'worker.listen-failed':
      return error(`Worker ${pid} cannot listen: ${notice.reason}`);
  }
}

/** The line that an effect deserves once it is performed; `undefined` for most. */
export function narrateEffect(effect: Effect, { wanted }: Pool, pid: Pid): Line | undefined {
  switch (effect.type) {
    case 'fork':
      return info(`Forking worker ${effect.slot + 1}/${wanted}`);
    case 'order':
      return info(`Disconnecting worker ${pid(effect.worker)}`);
    case 'kill':
      return warn(`Killing worker ${pid(effect.worker)}`);
    case 'reload.ended':
      return effect.aborted === undefined
        ? info('Reload finished')
        : error(`Reload aborted: ${abortText(effect.aborted)}`);
    case 'exit':
      return lastLine(effect.verdict);
    case 'lend':
    case 'return':
    case 'load':
      return undefined;
  }
}

/** The supervisor's last line carries the last error of a worker. */
function lastLine({ code, exit }: Verdict): Line {
  if (code === 0) return info('All workers disconnected, master process exiting');
  const reason = exit === undefined ? '' : `: ${lastError(code, exit)}`;
  return { level: 'fatal', msg: `No worker left, master process exiting with code ${code}${reason}` };
}

/** An announced failure (5, 6) says everything by itself. */
function lastError(code: number, exit: Exit): string {
  const isAnnounced = (code === 5 || code === 6) && exit.cause?.type === 'boot-failed';
  return isAnnounced ? causeText(exit.cause) : exitText(exit);
}
