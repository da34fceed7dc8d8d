/**
 * Signals are translated, not handled: each becomes one wish to the supervisor (`docs/signals.md` is the table
 * for operators).
 */
import { closeSync, openSync } from 'node:fs';
import { debounceSignal } from '../../platform/debounce-signal.js';
import type { Line } from '../report/narrate.js';

export interface Wishes {
  /** SIGINT is a key press in development, and an order like SIGTERM in production. */
  readonly development: boolean;
  /** Whether the service is stopping already, for any reason: another signal then means "now". */
  isStopping(): boolean;
  log(line: Line): void;
  stop(how: 'drain' | 'now'): void;
  reload(): void;
}

/** Installs the handlers of the supervisor's own signals. */
export function translateSignals({ development, isStopping, log, stop, reload }: Wishes): void {
  const hadTerminal = hasTerminal() === true;

  function order(signal: NodeJS.Signals, how: 'drain' | 'now'): void {
    const received = `Master process received ${signal}`;
    if (isStopping()) {
      log({ level: 'warn', msg: `${received} again, killing all workers` });
      return stop('now');
    }
    const manner = how === 'now' ? 'at once' : 'gracefully';
    log({ level: 'info', msg: `${received}, shutting down all workers ${manner}` });
    stop(how);
  }

  const terminate = debounceSignal(() => order('SIGTERM', 'drain'));
  const interrupt = debounceSignal(() => order('SIGINT', development ? 'now' : 'drain'));
  const hangUp = debounceSignal(() => order('SIGHUP', 'drain'));
  process.on('SIGTERM', terminate).on('SIGINT', interrupt);
  process.on('SIGHUP', () => {
    if (hadTerminal && hasTerminal() === false) return hangUp();
    log({ level: 'info', msg: 'Master process received SIGHUP, reloading' });
    reload();
  });
}

/** What the system says of a terminal that is not there, or no more. */
const NO_TERMINAL = ['ENXIO', 'EIO', 'ENOENT'];

/**
 * Whether a controlling terminal is there; `isTTY` keeps saying so after the terminal has been closed.
 * @returns nothing if it is unknown, for want of a descriptor, say: no reason to end a service
 */
function hasTerminal(): boolean | undefined {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch (error) {
    return NO_TERMINAL.includes((error as NodeJS.ErrnoException).code ?? '') ? false : undefined;
  }
}
