/** The terminal while `monit` has it: taken over, drawn on, and given back however the process ends. */
import { constants } from 'node:os';
import { writeSync } from 'node:fs';
import { emitKeypressEvents, type Key } from 'node:readline';
import { openTarget } from '../../platform/line-writer.js';
import { closeTerminalsAtExit } from '../../platform/terminal.js';
import type { Size } from './state.js';

const ESC = '\u001b';

/**
 * Alternate screen, no cursor, no automatic wrap: a character that the terminal shows wider than expected does not move
 * the rest.
 */
const ENTER = `${ESC}[?1049h${ESC}[?25l${ESC}[?7l${ESC}[2J`;
const LEAVE = `${ESC}[0m${ESC}[?7h${ESC}[?25h${ESC}[?1049l`;

/** A terminal that is full is tried again so soon, in ms. */
const RETRY_MS = 30;

/** How long the end waits for a terminal that is full, in ms. */
const PATIENCE_MS = 500;

/** SIGCONT has come after so long, in ms. */
const CONTINUED_MS = 100;

/** Those that end a process, and come from outside. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface ScreenNeeds {
  /** A key by its character or its name, `ctrl-` in front where it is held. */
  key(name: string): void;
  resize(size: Size): void;
  /** The terminal is gone. */
  gone(): void;
}

export interface Screen {
  /** Shows these lines, in one write of what has changed; a terminal that is slow gets the newest when it is ready. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal to the shell until the job is continued. */
  suspend(): void;
  close(): void;
}

export function openScreen({ key, resize, gone }: ScreenNeeds): Screen {
  const { stdin, stdout } = process;
  const canvas = createCanvas(gone);
  const { isTaken, take, giveBack } = createHold(canvas);

  function suspend(): void {
    giveBack();
    process.off('SIGTSTP', suspend);
    // The whole job, as the terminal itself does: a package manager that has started us stops, too.
    process.kill(0, 'SIGTSTP');
    // Only reached once it is continued, or if the system does not stop it: where no shell could continue it (`ssh -t`,
    // `docker run -it`), the signal has no effect, and SIGCONT does not come.
    setTimeout(() => {
      if (!isTaken()) goOn();
    }, CONTINUED_MS);
  }

  function goOn(): void {
    process.off('SIGTSTP', suspend).on('SIGTSTP', suspend);
    take();
    resize(sizeNow());
  }

  /** With the default effect of the signal, which the parent sees. */
  function end(signal: NodeJS.Signals): void {
    giveBack();
    process.off(signal, end);
    process.kill(process.pid, signal);
  }

  closeTerminalsAtExit();
  for (const signal of ENDINGS) process.on(signal, end);
  process.on('SIGTSTP', suspend).on('SIGCONT', goOn);
  process.on('exit', giveBack).on('uncaughtExceptionMonitor', giveBack);
  readKeys(key);
  stdin.on('end', gone).on('error', gone);
  stdout.on('resize', () => {
    canvas.clear();
    resize(sizeNow());
  });
  take();
  return {
    draw: lines => {
      if (isTaken()) canvas.draw(lines);
    },
    suspend,
    close: giveBack,
  };
}

interface Hold {
  isTaken(): boolean;
  take(): void;
  giveBack(): void;
}

/** The terminal is taken from the shell, and given back. */
function createHold(canvas: Canvas): Hold {
  const { stdin } = process;
  let isTaken = false;
  return {
    isTaken: () => isTaken,
    take() {
      // The shell may have changed the mode meanwhile, which Node does not know.
      stdin.setRawMode(false).setRawMode(true);
      stdin.resume();
      isTaken = true;
      canvas.clear();
    },
    giveBack() {
      if (!isTaken) return;
      isTaken = false;
      canvas.leave();
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

function readKeys(key: ScreenNeeds['key']): void {
  emitKeypressEvents(process.stdin);
  process.stdin.on('keypress', (text: string | undefined, pressed: Key) => key(nameOf(text, pressed)));
}

/** A terminal on a serial line does not know its size. */
export function sizeNow(): Size {
  const { columns, rows } = process.stdout;
  return { columns: columns || 80, rows: rows || 24 };
}

function nameOf(text: string | undefined, { name, ctrl }: Key): string {
  if (ctrl === true) return `ctrl-${name ?? ''}`;
  return text !== undefined && /^[ -~]$/.test(text) ? text : (name ?? '');
}

interface Canvas {
  draw(lines: readonly string[]): void;
  /** Takes the alternate screen; all is drawn again. */
  clear(): void;
  leave(): void;
}

function createCanvas(gone: () => void): Canvas {
  const { fd } = openTarget(1);
  /** What the terminal shows, once {@link rest} is written. */
  let onScreen: readonly string[] | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let next: readonly string[] | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isGone = false;

  /** @returns whether all is written */
  function flush(): boolean {
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      rest = Buffer.alloc(0);
      if (!isGone) setImmediate(gone);
      isGone = true;
    }
    return true;
  }

  function draw(lines: readonly string[]): void {
    next = lines;
    if (timer !== undefined) return;
    if (rest.length === 0) {
      rest = Buffer.from(changes(onScreen, lines));
      onScreen = lines;
      next = undefined;
    }
    if (!flush()) timer = setTimeout(retry, RETRY_MS);
  }

  function retry(): void {
    timer = undefined;
    if (!flush()) timer = setTimeout(retry, RETRY_MS);
    else if (next !== undefined) draw(next);
  }

  return {
    draw,
    clear: () => void (onScreen = undefined),
    leave() {
      clearTimeout(timer);
      [timer, next, onScreen] = [undefined, undefined, undefined];
      // A sequence that is half written ends with the next one.
      rest = Buffer.from(LEAVE);
      const deadline = performance.now() + PATIENCE_MS;
      while (!flush() && performance.now() < deadline);
      rest = Buffer.alloc(0);
    },
  };
}

/** What brings the terminal from what it shows to these lines. */
function changes(before: readonly string[] | undefined, lines: readonly string[]): string {
  const drawn = lines.flatMap((line, row) =>
    line === before?.[row] ? [] : `${ESC}[${row + 1};1H${ESC}[K${line}${ESC}[0m`,
  );
  return (before === undefined ? ENTER : '') + drawn.join('');
}

/** The exit code of a process whose terminal has gone, as the shell reports it. */
export const GONE_EXIT = 128 + constants.signals.SIGHUP;
