/** The main thread as the operating system and the inspector show it to the observer thread. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Session, type Debugger } from 'node:inspector';
import { within } from '../platform/deadline.js';
import { mapFrame } from './source-maps.js';

/** In native code (a synchronous child process, a database call) no stack comes. */
export const STACK_MS = 500;

/** The innermost frames; more would not fit into a line of the log. */
const MAX_FRAMES = 10;

/**
 * How long the main thread has been ready to run and had no CPU, since it began, in ms (`/proc/PID/schedstat`, second
 * field; see the kernel's sched-stats.rst). 0 if the system does not say.
 */
export function waitedForCpuMs(): number {
  try {
    const [, waitedNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}

/** Whether V8 is writing a heap snapshot, which blocks the loop for as long as it takes. Known on Linux only. */
export function isWritingHeapSnapshot(): boolean {
  try {
    return readdirSync('/proc/self/fd').some(fd => targetOf(fd).endsWith('.heapsnapshot'));
  } catch {
    return false;
  }
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // closed between two looks
  }
}

/**
 * Once an AsyncLocalStorage is in use, Node before 24 runs these around each step of a promise; a chain of promises may be
 * paused in one of them, without a frame of its own on the stack.
 */
const PROMISE_HOOK = /\(node:(internal\/)?async_hooks:/;
const MAX_PAUSES = 50;

/** Innermost frame first: `handler (src/routes/games.ts:12:5)`. */
export type Stack = readonly string[];

/** The JavaScript stack of the main thread, which is paused for a few milliseconds to read it. */
export interface Stacks {
  /** @returns nothing if no JavaScript of the app runs for {@link STACK_MS} */
  take(): Promise<Stack | undefined>;
}

export function createStacks(): Stacks {
  let pending: Promise<Stack | undefined> | undefined;
  return {
    take() {
      pending ??= askForStack().finally(() => (pending = undefined));
      return within(STACK_MS, pending, () => undefined);
    },
  };
}

/**
 * Resolves when the main thread runs JavaScript: with nothing if there is only Node's own on the stack, since what had
 * blocked the loop is over then.
 */
function askForStack(): Promise<Stack | undefined> {
  const session = new Session();
  session.connectToMainThread();
  const scripts = new Map<string, Debugger.ScriptParsedEventDataType>();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params));
  return new Promise(resolve => {
    let pauses = 0;
    let isAgain = false;
    // A pause that is asked for before it has resumed would be lost.
    session.on('Debugger.resumed', () => isAgain && session.post('Debugger.pause'));
    session.on('Debugger.paused', ({ params }) => {
      const frames = params.callFrames.map(({ functionName, location }) => {
        const name = functionName === '' ? '(anonymous)' : functionName;
        return `${name} (${mapFrame(scripts.get(location.scriptId), location)})`;
      });
      const isOfNode = frames.every(frame => frame.includes('(node:'));
      isAgain = isOfNode && PROMISE_HOOK.test(frames[0] ?? '') && ++pauses < MAX_PAUSES;
      session.post('Debugger.resume');
      if (isAgain) return;
      session.disconnect();
      const first = frames.findIndex(frame => !PROMISE_HOOK.test(frame));
      resolve(isOfNode ? undefined : frames.slice(first, first + MAX_FRAMES));
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  });
}
