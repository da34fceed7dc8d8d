/** A terminal that closes while a process runs in it. */
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * At its end Node restores the terminals it was started with, and aborts where one has been closed since (before Node
 * 24.2, see nodejs/node#58200): a clean end would become a core dump. What is not open is left alone.
 */
export function closeTerminalsAtExit(): void {
  const terminals = [0, 1, 2].filter(fd => isatty(fd));
  if (terminals.length === 0) return;
  process.on('exit', () => {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
  });
}
