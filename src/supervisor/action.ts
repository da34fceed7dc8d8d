/** How a requested action ended. */
export interface ActionOutcome {
  readonly ok: boolean;
  /** Why not; `null` if it is ok. */
  readonly reason: string | null;
  /** What follows from the failure, and what to do about it. */
  readonly advice?: string;
}

export const SUCCEEDED: ActionOutcome = { ok: true, reason: null };

export const failedBecause = (reason: string, advice?: string): ActionOutcome =>
  advice === undefined ? { ok: false, reason } : { ok: false, reason, advice };
