import { askSibling } from './ask.js';
import { serviceFolders, serviceIn, siblingsIn, type Sibling } from './service-folder.js';
import { parseSnapshot, type Snapshot } from './snapshot.js';

/** A worker that does not answer within this time is left out. */
const ANSWER_MS = 300;

/** A worker's socket, and what came from it: nothing from one that has died, and one that does not answer. */
export interface Asked extends Sibling {
  readonly folder: string;
  /** Number of its service; under PM2 the pid of its daemon. */
  readonly service: number;
  readonly isGone: boolean;
  readonly snapshot: Snapshot | undefined;
}

/**
 * Asks workers how they are; never takes longer than a moment, and never rejects.
 * @param service without it, all services of this user are asked
 */
export async function askWorkers(service?: number): Promise<readonly Asked[]> {
  return (await Promise.all(serviceFolders(service).map(askSiblings))).flat();
}

/** As {@link askWorkers}, for the workers that have their sockets in one folder. */
export async function askSiblings(folder: string): Promise<readonly Asked[]> {
  const asked = await Promise.all(
    siblingsIn(folder).map(async sibling => {
      const answer = await askSibling(sibling, ANSWER_MS);
      if (answer === 'left') return [];
      const snapshot = typeof answer === 'string' ? undefined : parseSnapshot(answer.text);
      const own = snapshot?.pid === sibling.pid ? snapshot : undefined;
      const service = serviceIn(folder);
      return [{ ...sibling, folder, service, isGone: answer === 'gone', snapshot: own }];
    }),
  );
  return asked.flat();
}
