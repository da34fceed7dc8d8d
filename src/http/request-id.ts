/** Request ids: taken over from the client where they are sane, else made here. */

/** What an id may look like that a client or a proxy sends: short, and harmless in a log line and a header. */
const SANE_ID = /^[A-Za-z0-9._~:/+=-]{1,128}$/;

/** The id that a client or a proxy sends, where it is sane. */
export const saneId = (offered: unknown): string | undefined =>
  typeof offered === 'string' && SANE_ID.test(offered) ? offered : undefined;

/**
 * Ids that no other worker gives: a random name for this process, and a number. They tell requests apart and protect
 * nothing, so that `node:crypto`, which takes 3 to 7 ms to load, is not needed.
 */
export function createIds(): () => string {
  const prefix = Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
