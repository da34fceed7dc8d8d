/** How an end is told, in logs, in status and in the answers of commands: one wording everywhere. */
import type { Exit, Serving, SlotId, Starting } from './model.js';

/** `exited (code 1)`, `exited (signal SIGKILL)`; nothing for a worker that never ran or still runs. */
export function endSentence({ code, signal }: Pick<Exit, 'code' | 'signal'>): string {
  if (signal !== null) return `exited (signal ${signal})`;
  return code === null ? '' : `exited (code ${code})`;
}

/** The end with the worker's own reason behind it: `exited (code 1): Cannot find module 'x'`. */
export function exitSentence(exit: Exit): string {
  return [endSentence(exit), exit.failure?.message ?? ''].filter(part => part !== '').join(': ');
}

/** Why a new worker was not trusted: `the new worker of slot 0 exited (code 1) before it was ready: …`. */
export function mistrustSentence(slot: SlotId, exit: Exit, state: (Starting | Serving)['at']): string {
  const end = endSentence(exit);
  const when = state === 'starting' ? 'before it was ready' : 'before it had proved stable';
  const happened = end === '' ? 'failed to start' : `${end} ${when}`;
  return [`the new worker of slot ${slot} ${happened}`, exit.failure?.message ?? '']
    .filter(part => part !== '')
    .join(': ');
}
