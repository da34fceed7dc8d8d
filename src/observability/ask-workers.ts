import { ask } from './ask.js';
import { serviceFolders, siblingsIn, supervisorIn, type Sibling } from './service-folder.js';
import { parseSnapshot, type Snapshot } from './snapshot.js';

/** A worker that does not answer within this time is left out. */
const ANSWER_MS = 300;

/** A worker's socket, and what came from it: nothing from one that has died, and one that does not answer. */
export interface Asked extends Sibling {
  readonly folder: string;
  /** Pid of what runs it. */
  readonly supervisor: number;
  readonly isGone: boolean;
  readonly snapshot: Snapshot | undefined;
}

/**
 * Asks workers how they are; never takes longer than a moment, and never rejects.
 * @param supervisor pid of what runs them; without it, all services of this user are asked
 */
export async function askWorkers(supervisor?: number): Promise<readonly Asked[]> {
  const siblings = serviceFolders(supervisor).flatMap(folder =>
    siblingsIn(folder).map(sibling => ({ ...sibling, folder, supervisor: supervisorIn(folder) })),
  );
  return Promise.all(
    siblings.map(async sibling => {
      const answer = await ask({ socketPath: sibling.path }, '/', ANSWER_MS);
      const snapshot = typeof answer === 'string' ? undefined : parseSnapshot(answer.text);
      const own = snapshot?.pid === sibling.pid ? snapshot : undefined;
      return { ...sibling, isGone: answer === 'gone', snapshot: own };
    }),
  );
}
