/** Steps that several scenarios have in common. */
import { cpus } from 'node:os';
import { isAlive, until } from '../support/processes.js';
import type { Entry, Service } from './service.js';

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

export const CPUS = cpus().length;

/** The pids of the workers once the supervisor has as many as it wants, and all of them serve. */
export async function settled(service: Service): Promise<number[]> {
  let pids: number[] = [];
  await until(async () => {
    const listed = await service.workers();
    pids = listed.flatMap(({ pid, state }) => (state === 'serving' && pid !== null ? [pid] : []));
    return pids.length > 0 && pids.length === listed.length;
  }, 'every worker serves');
  return pids;
}

/** The body of the answer to one request. */
export const read = async (service: Service, path: string): Promise<string> => (await service.get(path)).text;

/** Resolves once none of these processes lives. */
export const gone = (pids: readonly number[]): Promise<void> =>
  until(() => !pids.some(isAlive), 'these workers have left');

/** The instance number with which a worker of `apps/worker.js` has booted. */
export const instanceOf = ({ what }: Entry): string => / as (\S+)/.exec(what)?.[1] ?? '';

/** Milliseconds between each boot of the journal and the next. */
export function pausesBetween(boots: readonly Entry[]): number[] {
  return boots.slice(1).map(({ at }, index) => at - (boots[index]?.at ?? at));
}

/** What happens to the worker that is made to end, and to its seat. */
export async function replacedAfter(
  service: Service,
  end: (victim: number) => Promise<unknown>,
): Promise<string> {
  const [victim = 0] = await service.started(1);
  await end(victim);
  await until(() => service.journal(/^listens/).length === 2, 'a new worker listens');
  const [successor] = await service.serving(1);
  await service.answers();
  const numbers = new Set(service.journal(/^boots/).map(instanceOf));
  if (successor === victim || isAlive(victim)) return 'not replaced';
  return numbers.size === 1 ? 'replaced, with the same instance number' : 'replaced, with another number';
}

/** Asks for something that ends the worker; whether the answer still arrives is not the point. */
export const provoke = (service: Service, path: string): Promise<unknown> =>
  service.get(path).catch(() => undefined);

/** New connections all the time, one request each; counts those that are refused or broken. */
export interface Probe {
  stop(): Promise<{ readonly asked: number; readonly lost: number }>;
}

export function probe(service: Service, path = '/'): Probe {
  const stopping = new AbortController();
  let [asked, lost] = [0, 0];
  const work = (async () => {
    while (!stopping.signal.aborted) {
      asked++;
      await service.get(path).catch(() => lost++);
      await pause(10);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await work;
      return { asked, lost };
    },
  };
}
