/** The core's facts in words: one wording for logs, status and the answers of commands. */
import { MAX_REASON_LENGTH } from '../../protocol/limits.js';
import type { AbortReason, Exit, ExitCause, SuccessorLost } from '../core/model.js';
import type { ScaleFailure, StartLost } from '../core/queries.js';
import type { LastExit } from './status.js';

/** `exited (code 1)`, `exited (signal SIGKILL)`; empty for a worker that never ran or still runs. */
export function endText({ code, signal }: Pick<Exit, 'code' | 'signal'>): string {
  if (signal !== null) return `exited (signal ${signal})`;
  return code === null ? '' : `exited (code ${code})`;
}

/** The end with its cause: `exited (code 1): Cannot find module 'x'`, `not ready within 3000 ms`. */
export function exitText(exit: Exit): string {
  const cause = causeText(exit.cause);
  // How a worker ended that was ordered to says nothing about why.
  return isOrdered(exit) ? cause : joined(endText(exit), cause);
}

const isOrdered = ({ cause }: Exit): boolean =>
  cause?.type === 'start-timeout' || cause?.type === 'memory-limit';

/** Bytes as `231.0 MB`; less than a tenth of that as `48.2 kB`. */
export const sizeText = (bytes: number): string =>
  bytes < 2 ** 20 / 10 ? `${(bytes / 2 ** 10).toFixed(1)} kB` : `${(bytes / 2 ** 20).toFixed(1)} MB`;

export function causeText(cause: ExitCause | undefined): string {
  switch (cause?.type) {
    case undefined:
      return '';
    case 'drained':
      return cause.reason;
    case 'start-timeout':
      return `not ready within ${cause.limitMs} ms`;
    case 'memory-limit':
      return `replaced at ${sizeText(cause.bytes)}, more than max_memory_restart (${sizeText(cause.limitBytes)})`;
    case 'out-of-memory':
      return 'killed by the kernel, out of memory';
    case 'hung':
      return `hung for ${cause.blockedMs} ms`;
    case 'boot-failed':
    case 'fork-failed':
      return cause.message;
  }
}

/** `the new worker of slot 0 exited (code 1) before it was ready: …`. */
export function successorLostText({ slot, exit, state }: SuccessorLost): string {
  const end = endText(exit);
  const when = state === 'starting' ? 'before it was ready' : 'before it had proved stable';
  const what = end === '' ? 'failed to start' : `${end} ${when}`;
  return joined(`the new worker of slot ${slot} ${what}`, causeText(exit.cause));
}

export function abortText(reason: AbortReason): string {
  return reason.type === 'service-stops' ? SERVICE_STOPS : successorLostText(reason);
}

export const refusedReloadText = (reason: string): string => `Reload refused, nothing changes: ${reason}`;

export const SERVICE_STOPS = 'the service stops';

export const UPGRADE_RUNS = 'an upgrade is running; wait until it has ended';

export const RELOAD_RUNS = 'a reload is running; wait until it has ended';

/** Their sockets are not the supervisor's to hand on. */
export const WORKERS_LISTEN =
  'the workers listen by themselves, so a new supervisor could not take their port over (another program than ours, or NODE_CLUSTER_SCHED_POLICY); restart the service';

/** What keeps a service from replacing another. */
export function startLostText({ exit }: StartLost): string {
  return exit === undefined
    ? 'the new supervisor was ordered to stop'
    : `a new worker ${exitText(exit) || 'ended'}`;
}

/** Of a worker whose app has closed all descriptors, for example. */
export const HEARTBEATS_LOST =
  'has closed descriptor 4 or opened another file there: it serves, but the supervisor does not notice any more if it hangs';

/** After an aborted reload, if the workers of the former build load the same file. */
export const FAILED_BUILD_STAYS =
  'The failed build is still in place: a worker that exits from now on is replaced with it. Restore the former build, or deploy another one, and reload';

/** Why a scaling did not reach its number of workers. */
export function scaleFailureText(failure: ScaleFailure): string {
  switch (failure.type) {
    case 'service-stops':
      return SERVICE_STOPS;
    case 'superseded':
      return `${failure.wanted} workers are wanted by now`;
    case 'slot-not-ready':
      return `slot ${failure.slot} is ${failure.state}`;
  }
}

/** `4711 exited (code 1): boom (3 s ago, after 120 ms)`; a process that still drains has no times. */
export function lastExitText({ pid, reason, at, uptime }: LastExit, now: number): string {
  const times = [
    ...(at === null ? [] : [`${durationText(now - at)} ago`]),
    ...(uptime === null ? [] : [`after ${durationText(uptime)}`]),
  ];
  return [pid ?? '-', reason, ...(times.length === 0 ? [] : [`(${times.join(', ')})`])].join(' ');
}

/** The text in one line of bounded length: workers may send anything. */
export function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH - 1)}…` : line;
}

/** A number and its noun: `1 restart`, `6 restarts`. */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `950 ms`, `12 s`, `3 m 20 s`, `5 h 2 m`, `4 d 7 h`. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3_600),
    Math.floor(seconds / 86_400),
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} m`;
  if (minutes > 0) return `${minutes} m ${seconds % 60} s`;
  return seconds > 0 ? `${seconds} s` : `${Math.max(0, Math.floor(ms))} ms`;
}

const joined = (what: string, why: string): string => [what, why].filter(part => part !== '').join(': ');
