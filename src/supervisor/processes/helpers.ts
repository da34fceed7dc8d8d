/**
 * The helpers of a worker: the processes that it has started (a browser, ffmpeg), and those in their turn. They are ended
 * with it, as PM2 does by default (`treekill`), but after it: a request in flight may need its helper. PM2 signals all of
 * them together with SIGINT, which a shell's background processes ignore; here it is SIGTERM, the deepest first.
 */
import {
  descendantsOf,
  isRunning,
  processOf,
  signalProcess,
  type ProcessRef,
} from '../../platform/process-tree.js';

/** How often to check that they are gone: no event reports it. */
const LOOK_MS = 50;

export interface Helpers {
  /** Looks which there are. Those of a worker that has exited cannot be found any more. */
  find(): void;
  /** Terminates those that were found; calls back once none of them lives. */
  end(ended: () => void): void;
  /** Kills those that were found; {@link end} calls back at once. */
  kill(): void;
}

/** @param pid of the worker, which has just been forked */
export function createHelpers(pid: number): Helpers {
  const worker = processOf(pid);
  const found = new Map<number, ProcessRef>();
  let look: NodeJS.Timeout | undefined;
  let whenEnded: () => void = () => undefined;

  const living = (): ProcessRef[] => [...found.values()].filter(isRunning);
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const helper of living()) signalProcess(helper, signal);
  };

  function check(): void {
    if (living().length > 0) return;
    clearInterval(look);
    whenEnded();
  }

  return {
    find() {
      if (worker === undefined) return;
      for (const helper of descendantsOf(worker)) found.set(helper.pid, helper);
    },
    end(ended) {
      whenEnded = ended;
      signalAll('SIGTERM');
      look = setInterval(check, LOOK_MS);
      check();
    },
    kill() {
      signalAll('SIGKILL');
      found.clear();
      if (look !== undefined) check();
    },
  };
}
