import { inspect } from 'node:util';
import { MAX_REASON_LENGTH } from '../protocol/limits.js';

/** What was thrown, in one line of bounded length: anything may be thrown, also what cannot be read. */
export function errorLine(thrown: unknown): string {
  try {
    return textOf(thrown).split('\n', 1).join('').slice(0, MAX_REASON_LENGTH);
  } catch {
    return 'an error that cannot be read';
  }
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (!(thrown instanceof Error)) return inspect(thrown);
  // A connection that was tried at several addresses (`localhost`) fails with no message of its own.
  if (thrown instanceof AggregateError && thrown.message === '' && thrown.errors.length > 0)
    return textOf(thrown.errors[0]);
  return thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
}
