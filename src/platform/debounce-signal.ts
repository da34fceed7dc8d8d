/** One wish may arrive twice: npm and scripts hand on what the terminal has sent to the whole group already. */

/** Nobody presses the same key again so soon; what does come so soon is the same press. */
export const ECHO_MS = 500;

/** Calls back for a signal, but not for its echoes. */
export function withoutEchoes(heard: () => void, now: () => number = () => performance.now()): () => void {
  let heardAt = -Infinity;
  return () => {
    if (now() - heardAt < ECHO_MS) return;
    heardAt = now();
    heard();
  };
}
