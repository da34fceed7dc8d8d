/** The trace that a request belongs to, as its caller says in `traceparent` (W3C Trace Context). */

/** Lower-case hexadecimal: 32 and 16 digits, neither all zeros. */
export interface TraceContext {
  readonly traceId: string;
  /** The caller's span. */
  readonly spanId: string;
}

/** version-traceid-parentid-flags; what follows is for versions to come. Duplicates, which Node joins, do not match. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/** @returns nothing for a header that is not valid by levels 1 and 2 of the standard: it counts as absent */
export function parseTraceparent(header: unknown): TraceContext | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId, spanId, rest] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || (version === '00' && rest !== undefined))
    return undefined;
  return { traceId, spanId };
}
