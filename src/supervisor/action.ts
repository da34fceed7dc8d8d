/** How a requested action ended. */
export interface ActionOutcome {
  readonly ok: boolean;
  /** Why not; `null` if it is ok. */
  readonly reason: string | null;
  /** What follows from the failure, and what to do about it. */
  readonly advice?: string;
  /** What the app file says that is not followed. */
  readonly warnings?: readonly string[];
}

export const SUCCEEDED: ActionOutcome = { ok: true, reason: null };

export const succeededWith = (warnings: readonly string[]): ActionOutcome =>
  warnings.length === 0 ? SUCCEEDED : { ...SUCCEEDED, warnings };

export const failedBecause = (reason: string, advice?: string): ActionOutcome =>
  advice === undefined ? { ok: false, reason } : { ok: false, reason, advice };
