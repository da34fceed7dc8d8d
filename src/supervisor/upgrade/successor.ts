/** The supervisor that is to take this one's place, as a child process. */
import { spawn, type ChildProcess, type SendHandle, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { within } from '../../platform/deadline.js';
import {
  handoverVariable,
  parseFromSuccessor,
  type FromSuccessor,
  type Handover,
  type ToSuccessor,
} from './handover.js';
import type { Launch } from './launch.js';

/** How long taking over may take: a new control socket, and two messages to systemd at most. */
const TAKE_OVER_MS = 15_000;

export interface SuccessorNeeds {
  readonly launch: Launch;
  readonly env: NodeJS.ProcessEnv;
  readonly handover: Handover;
  /** How long it may take until its workers have proved themselves. */
  readonly readyMs: number;
  /** How long it may take to drain its workers if it is not wanted. */
  readonly endMs: number;
}

/** Every promise rejects with an Error whose message is the reason, for people. */
export interface Successor {
  readonly pid: number | undefined;
  /** Its workers serve, beside ours. */
  ready(): Promise<void>;
  /** It is in charge once this resolves. */
  takeOver(): Promise<void>;
  /** Has it stop the service. */
  stop(): void;
  /** Drains and ends it, if it is not in charge; resolves when it has ended. */
  end(): Promise<void>;
}

export function startSuccessor({ launch, env, handover, readyMs, endMs }: SuccessorNeeds): Successor {
  const { command, args, cwd } = launch;
  const child = spawn(command, args, {
    cwd,
    env: { ...env, ...handoverVariable(handover) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...handover.sockets.map(({ fd }) => fd)],
  });
  const word = listenTo(child);
  let phase: 'starting' | 'taking over' | 'in charge' = 'starting';

  return {
    pid: child.pid,
    ready: () => within(readyMs, word('cabe:upgrade.ready'), tooLate('was not ready', readyMs)),
    async takeOver() {
      phase = 'taking over';
      child.send({ type: 'cabe:upgrade.take-over' } satisfies ToSuccessor, ignoreFailure);
      await within(TAKE_OVER_MS, word('cabe:upgrade.taken'), tooLate('did not take over', TAKE_OVER_MS));
      phase = 'in charge';
    },
    stop: () => void child.kill('SIGTERM'),
    async end() {
      const hasEnded = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
      if (phase === 'in charge' || hasEnded) return;
      const exit = once(child, 'exit');
      // From `take-over` on it does not mind the loss of its channel.
      if (phase === 'taking over') child.kill('SIGKILL');
      else if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
      await exit;
      clearTimeout(timer);
    },
  };
}

/** A child that has ended says so by its exit. */
const ignoreFailure = (): void => undefined;

const tooLate = (what: string, limitMs: number) => (): never => {
  throw new Error(`the new supervisor ${what} within ${limitMs / 1_000} s`);
};

type Word = Exclude<FromSuccessor['type'], 'cabe:upgrade.failed'>;

/** @returns a function whose promise resolves with a message, and rejects with what keeps the child from sending it */
function listenTo(child: ChildProcess): (word: Word) => Promise<void> {
  const said = new Set<Word>();
  const callbacks = new Set<() => void>();
  let failure: string | undefined;
  const fail = (reason: string): void => {
    failure ??= reason;
    for (const call of callbacks) call();
  };
  child
    .on('error', error => fail(`the new supervisor cannot be started: ${error.message}`))
    .on('exit', (code, signal) =>
      fail(`the new supervisor ended with ${signal ?? `exit code ${code}`}; the log has its last lines`),
    )
    .on('message', (message: Serializable, _handle: SendHandle | undefined) => {
      const parsed = parseFromSuccessor(message);
      if (parsed?.type === 'cabe:upgrade.failed') return fail(parsed.reason);
      if (parsed !== undefined) said.add(parsed.type);
      for (const call of callbacks) call();
    });
  return word =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (said.has(word)) resolve();
        else if (failure === undefined) return;
        else reject(new Error(failure));
        callbacks.delete(look);
      };
      callbacks.add(look);
      look();
    });
}
