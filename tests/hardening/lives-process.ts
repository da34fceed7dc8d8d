/** A process that lives lives of the core: it gets seeds, and answers with what occurred or with the life that broke. */
import { BrokenLife, live, type Tally } from '../support/random-lives.js';

/** Seeds to live, one after the other. */
export interface Batch {
  readonly first: number;
  readonly lives: number;
}

export type BatchResult =
  | {
      readonly lived: number;
      readonly tally: readonly (readonly [what: string, times: number])[];
      readonly lastedMs: number;
    }
  | { readonly brokenSeed: number; readonly invariant: string; readonly transcript: readonly string[] };

function liveAll({ first, lives }: Batch): BatchResult {
  const tally: Tally = new Map();
  let lastedMs = 0;
  try {
    for (let seed = first; seed < first + lives; seed++) lastedMs += live(seed, tally).lasted;
    return { lived: lives, tally: [...tally], lastedMs };
  } catch (error) {
    if (!(error instanceof BrokenLife)) throw error;
    return { brokenSeed: error.seed, invariant: error.message, transcript: error.transcript };
  }
}

process.on('message', (batch: Batch) => process.send?.(liveAll(batch)));
