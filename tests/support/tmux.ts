/** A terminal of a test's own: a server of tmux with one window, the keys pressed in it, and what it shows. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { folder, ROOT, until } from './processes.js';

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

export interface Terminal {
  /** Types into it; tmux' names of keys: `Enter`, `C-c`, `PageDown`. */
  press(...keys: readonly string[]): void;
  resize(columns: number, rows: number): void;
  /** What is on the screen, a line for each row; with escape sequences for colours if they are asked for. */
  screen(withColours?: boolean): string;
  /** Waits until the screen matches. */
  shows(pattern: RegExp): Promise<string>;
  end(): void;
}

/** A shell in a terminal of that size. @param env over an empty environment */
export function terminal(
  columns: number,
  rows: number,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const socket = join(folder(), 'tmux');
  const tmux = (...args: readonly string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      cwd: ROOT,
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', PS1: '$ ', ...env },
    });
  // A shell that has job control and reads no file of the user's.
  tmux('-u', 'new-session', '-d', '-x', String(columns), '-y', String(rows), 'bash --norc --noprofile');
  const screen = (withColours = false): string =>
    tmux('capture-pane', '-p', ...(withColours ? ['-e'] : [])).trimEnd();
  return {
    press: (...keys) => void tmux('send-keys', ...keys),
    resize: (x, y) => void tmux('resize-window', '-x', String(x), '-y', String(y)),
    screen,
    async shows(pattern) {
      await until(() => pattern.test(screen()), `the terminal shows ${pattern}`).catch((error: Error) => {
        throw new Error(`${error.message}; it shows\n${screen()}`);
      });
      return screen();
    },
    end: () => void tmux('kill-server'),
  };
}
