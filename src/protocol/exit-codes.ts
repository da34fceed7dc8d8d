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
