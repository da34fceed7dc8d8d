/**
 * Warns when this process has no file descriptor left. Connections that come then get no word from Node: libuv accepts
 * and closes them (`uv__emfile_trick`), and the server hears nothing of it.
 */
import { closeSync, openSync } from 'node:fs';
import { shortageText } from '../platform/system-errors.js';

/** A worker at its limit goes above and below it again and again: one warning in this time, in ms. */
const PAUSE_MS = 60_000;

export interface Descriptors {
  /** Costs one open and one close. */
  look(): void;
}

/** @param open for tests: opens a file and closes it @throws Error with the system's code */
export function watchDescriptors(
  warn: (msg: string) => void,
  open = (): void => closeSync(openSync('/dev/null', 'r')),
  now = (): number => performance.now(),
): Descriptors {
  let warnedAt = -Infinity;
  return {
    look() {
      const shortage = shortageOf(open);
      if (shortage === undefined || now() - warnedAt < PAUSE_MS) return;
      warnedAt = now();
      warn(`Worker ${process.pid} closes new connections without an answer: ${shortage}`);
    },
  };
}

function shortageOf(open: () => void): string | undefined {
  try {
    open();
    return undefined;
  } catch (error) {
    return shortageText(error as NodeJS.ErrnoException);
  }
}
