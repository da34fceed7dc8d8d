/** One signal may arrive twice: npm and scripts forward what the terminal has already sent to the whole group. */

/** Shorter than two presses of a key: a second signal within it is the first one forwarded. */
export const DEBOUNCE_MS = 500;

/** A listener that ignores a signal within {@link DEBOUNCE_MS} of the one before. */
export function debounceSignal(
  listener: () => void,
  now: () => number = () => performance.now(),
): () => void {
  let lastAt = -Infinity;
  return () => {
    if (now() - lastAt < DEBOUNCE_MS) return;
    lastAt = now();
    listener();
  };
}
