/**
 * Watches the main loop from the observer thread: says where it is blocked, and kills the process when it has hung for
 * too long, or when its supervisor is gone and cannot do it.
 */
import { createStacks, isWritingHeapSnapshot, waitedForCpuMs, type Stack } from './main-thread.js';
import { machineMs } from './loop-stats.js';
import type { ObserverData } from './observer.js';
import { reportHung } from './report-hung.js';
import type { SharedView } from './shared-state.js';
import type { ThreadLog } from './thread-log.js';
import { createWatchdog, type Finding } from './watchdog.js';

/** So many requests in flight are named in a line of the log; the others are counted. */
const MAX_REQUESTS = 10;

export interface WatchNeeds extends Omit<ObserverData, 'log'> {
  readonly view: SharedView;
  readonly log: ThreadLog;
  /** Asks the main loop for a sign of life. */
  ping(number: number): void;
  /** Calls back for the first request after a rest. */
  onWake(call: () => void): void;
  /** The loop has answered a ping. */
  onTurn(): void;
  /** The main thread is being diagnosed, which may block it. */
  isDiagnosing(): boolean;
}

export interface Watching {
  /** How long the loop has not turned, in ms; 0 while it does. */
  blockedMs(): number;
  /** The stack of the last block, once it is there. */
  blockedAt(): string | null;
}

/** Looks at the main loop until the process ends. */
export function watch(needs: WatchNeeds): Watching {
  const { view, watchdogTimeoutMs, controlSocket } = needs;
  const watchdog = createWatchdog({
    limitMs: createLimit(needs),
    isExcused: () => view.hasDebugger() || needs.isDiagnosing() || isWritingHeapSnapshot(),
  });
  const report = createReport(needs);
  let asked = 0;
  // Requests that came before this thread was there count as new: one of them may be what blocks the loop.
  let last = { ...state(), started: 0 };
  let timer: NodeJS.Timeout;

  function state(): { at: number; waited: number; started: number } {
    return { at: machineMs(), waited: waitedForCpuMs(), started: view.started() };
  }

  function look(): void {
    const current = state();
    const hasTurned = view.answered() === asked;
    const finding = watchdog.look({
      elapsedMs: current.at - last.at,
      waitedMs: current.waited - last.waited,
      hasTurned,
      isBusy: view.inFlight() > 0 || current.started !== last.started,
    });
    last = current;
    if (hasTurned) {
      needs.onTurn();
      needs.ping(++asked);
    }
    if (finding.type === 'hung') return void end(finding.blockedMs);
    if (watchdogTimeoutMs > 0) report.add(finding);
    lookLater();
  }

  function lookLater(): void {
    view.rest(watchdog.isResting);
    timer = setTimeout(look, watchdog.nextLookMs);
  }

  async function end(blockedMs: number): Promise<void> {
    await report.hung(blockedMs);
    if (controlSocket !== undefined) await reportHung(controlSocket, blockedMs);
    process.kill(process.pid, 'SIGKILL');
  }

  needs.onWake(() => {
    clearTimeout(timer);
    look();
  });
  needs.ping(++asked);
  lookLater();
  return { blockedMs: () => watchdog.blockedMs, blockedAt: report.blockedAt };
}

/** How long the loop may be blocked, in ms: the supervisor of a worker may have gone meanwhile. */
function createLimit({ watchdogTimeoutMs, orphanTimeoutMs }: WatchNeeds): (blockedMs: number) => number {
  const own = watchdogTimeoutMs === 0 ? Infinity : watchdogTimeoutMs;
  const parent = process.ppid;
  let orphanedAt: number | undefined;
  return blockedMs => {
    if (orphanTimeoutMs === undefined || process.ppid === parent) return own;
    orphanedAt ??= blockedMs;
    return Math.min(own, orphanedAt + orphanTimeoutMs);
  };
}

interface Report {
  /** In the order of the calls: a stack may take longer to come than the end of the block. */
  add(finding: Finding): void;
  hung(blockedMs: number): Promise<void>;
  /** As {@link Watching.blockedAt}. */
  blockedAt(): string | null;
}

/** Logs blocks with the stack and the requests in flight. */
function createReport({ view, log, clocks }: WatchNeeds): Report {
  const worker = `Worker ${process.pid}`;
  const stacks = createStacks();
  let added = Promise.resolve();
  let blockedAt: Stack | undefined;

  /** The requests in flight, the oldest first, with their ages. */
  function requests(): object {
    const mainNow = clocks.main + machineMs() - clocks.machine;
    const named = view.requests().slice(0, MAX_REQUESTS);
    return {
      inFlight: view.inFlight(),
      requests: named.map(({ startedAt, ...request }) => ({
        ...request,
        ageMs: Math.round(mainNow - startedAt),
      })),
    };
  }

  function notTurning(
    level: 'warn' | 'fatal',
    how: string,
    blockedMs: number,
    stack: Stack | undefined,
  ): void {
    const where = stack === undefined ? ' in native code (no JavaScript stack)' : '';
    log(level, `${worker} ${how} for ${Math.round(blockedMs)} ms${where}`, { stack, ...requests() });
  }

  async function handle(finding: Finding): Promise<void> {
    if (finding.type === 'blocked') {
      blockedAt = await stacks.take();
      notTurning('warn', 'blocked', finding.blockedMs, blockedAt);
    }
    if (finding.type === 'recovered') {
      blockedAt = undefined;
      log('warn', `${worker} turns again, it was blocked for ${Math.round(finding.blockedMs)} ms`);
    }
  }

  return {
    add: finding => void (added = added.then(() => handle(finding))),
    hung: async blockedMs => notTurning('fatal', 'hung', blockedMs, await stacks.take()),
    blockedAt: () => blockedAt?.join('\n') ?? null,
  };
}
