/** Exit codes of the supervisor, the worker and the commands (`README.md` explains each). */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  neverReady: 3,
  gaveUp: 4,
  configuration: 5,
  portTaken: 6,
} as const;

/** Exit codes of the command `status`; without an answer it is `EXIT.internal`. */
export const STATUS_EXIT = {
  ready: 0,
  /** Some slot is not served, or workers hang or crash again and again. */
  degraded: 3,
  /** No slot is served. */
  down: 4,
} as const;
