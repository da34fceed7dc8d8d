/** What PM2 takes from the environment of its daemon (its constants.js), for every app: here from the supervisor's shell. */
import { constants } from 'node:os';
import type { InvalidValue } from '../../errors.js';

export interface Pm2Settings {
  /** PM2_KILL_SIGNAL: the order to leave, where it is a signal. */
  readonly killSignal: NodeJS.Signals;
  /** PM2_KILL_USE_MESSAGE: the order is a message for every app. */
  readonly killByMessage: boolean;
  /** PM2_KILL_TIMEOUT, in ms: for apps without a `kill_timeout`. */
  readonly killTimeoutMs: number | undefined;
  /** PM2_GRACEFUL_LISTEN_TIMEOUT, in ms: for apps without a `listen_timeout`. */
  readonly listenTimeoutMs: number | undefined;
  /** PM2_PROCESS_INSTANCE_VAR: comes before `instance_var` (God.js:604). */
  readonly instanceVar: string | undefined;
}

export function readPm2Settings(shell: NodeJS.ProcessEnv, problems: InvalidValue[]): Pm2Settings {
  const textOf = (name: string): string | undefined => (shell[name] === '' ? undefined : shell[name]);

  function milliseconds(name: string): number | undefined {
    const text = textOf(name);
    if (text === undefined || /^[1-9]\d*$/.test(text)) return text === undefined ? undefined : Number(text);
    problems.push({ name, expected: 'a whole number of milliseconds, at least 1', got: text });
    return undefined;
  }

  function signal(name: string): NodeJS.Signals | undefined {
    const text = textOf(name);
    if (text === undefined || text in constants.signals) return text as NodeJS.Signals | undefined;
    problems.push({ name, expected: 'the name of a signal, such as SIGTERM', got: text });
    return undefined;
  }

  return {
    killSignal: signal('PM2_KILL_SIGNAL') ?? 'SIGINT',
    // Any text, "false" included, as in PM2.
    killByMessage: textOf('PM2_KILL_USE_MESSAGE') !== undefined,
    killTimeoutMs: milliseconds('PM2_KILL_TIMEOUT'),
    listenTimeoutMs: milliseconds('PM2_GRACEFUL_LISTEN_TIMEOUT'),
    instanceVar: textOf('PM2_PROCESS_INSTANCE_VAR'),
  };
}
