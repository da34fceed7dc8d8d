/** What can be asked of a running worker, and what comes of it. */

export const KINDS = ['cpu', 'heap', 'report'] as const;

/** A CPU profile, a heap snapshot, a diagnostic report of Node. */
export type DiagnosticsKind = (typeof KINDS)[number];

/** Longest CPU profile, in seconds: the observer thread, which takes it, has little memory. */
export const MAX_SECONDS = 300;
export const DEFAULT_SECONDS = 10;

export interface DiagnosticsRequest {
  readonly kind: DiagnosticsKind;
  /** How long a CPU profile takes; nothing else has a duration. */
  readonly seconds: number;
}

export type DiagnosticsOutcome =
  | { readonly ok: true; readonly file: string; readonly bytes: number }
  | { readonly ok: false; readonly reason: string };

/** Where a worker's observer thread takes requests, by POST. */
export const DIAGNOSE_PATH = '/diagnose';

/** @returns a sentence where this is no request */
export function parseRequest(value: unknown): DiagnosticsRequest | string {
  const { kind, seconds = DEFAULT_SECONDS } = (value ?? {}) as { kind?: unknown; seconds?: unknown };
  const known = KINDS.find(name => name === kind);
  if (known === undefined) return `kind must be one of ${KINDS.join(', ')}`;
  if (!Number.isInteger(seconds) || Number(seconds) < 1 || Number(seconds) > MAX_SECONDS)
    return `seconds must be a whole number from 1 to ${MAX_SECONDS}`;
  return { kind: known, seconds: Number(seconds) };
}
