/** How a requested action ended. */
export interface ActionOutcome {
  readonly ok: boolean;
  /** Why not; `null` if it is ok. */
  readonly reason: string | null;
}

export const SUCCEEDED: ActionOutcome = { ok: true, reason: null };

export const failedBecause = (reason: string): ActionOutcome => ({ ok: false, reason });
