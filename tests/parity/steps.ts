/** Steps that several scenarios have in common. */
import { cpus } from 'node:os';
import { EXIT } from '../../src/protocol/exit-codes.js';
import { readMachine } from '../../src/platform/cpus.js';
import { isAlive, request, until } from '../support/processes.js';
import { Impossible } from './scenario.js';
import type { Entry, Service } from './service.js';

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

export const CPUS = cpus().length;

/** Where something takes CPUs away, native counts less than PM2, on purpose: scenarios of their own show that. */
export function needEveryCpu(): void {
  const { affinity, quota = CPUS } = readMachine();
  if (Math.min(affinity, quota) < CPUS) throw new Impossible('needs every CPU of the machine');
}

/** Whether it comes true within so long: for what is not to happen, where no event could tell. */
export async function comesTrue(holds: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await pause(20))
    if (await holds()) return true;
  return holds();
}

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

/** What an entry is about: `boots`, `listens`, `ordered`, … */
export const wordOf = ({ what }: Entry): string => what.split(' ')[0] ?? '';

/** What happened to each seat after the first `before` workers had been there: `new boots, …, old leaves`. */
export function storiesOfSeats(service: Service, before: readonly number[]): string[] {
  const boots = service.journal(/^boots/);
  const seatOf = (pid: number): string =>
    boots
      .filter(boot => boot.pid === pid)
      .map(instanceOf)
      .join();
  const events = service.journal().filter(({ pid, what }) => {
    const isOld = before.includes(pid);
    return !isOld || /^(ordered|leaves)/.test(what);
  });
  return [...new Set(boots.map(instanceOf))].map(seat =>
    events
      .filter(({ pid }) => seatOf(pid) === seat)
      .map(event => `${before.includes(event.pid) ? 'old' : 'new'} ${wordOf(event)}`)
      .join(', '),
  );
}

/** The last line that a program has said, where it speaks JSON. */
export function lastMessage(text: string): string {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return line.startsWith('{') ? String((JSON.parse(line) as { msg: unknown }).msg) : line;
}

/** How long nobody was there between the worker that crashed at boot and the next one, each time. */
export function pausesAfterCrashes(service: Service): number[] {
  const ends = service.journal(/^crashes/);
  return service
    .journal(/^boots/)
    .slice(1)
    .map(({ at }, index) => at - (ends[index]?.at ?? at));
}

/**
 * Whether the supervisor tries no more: PM2 lists every worker as errored; native has nothing left to do and ends.
 * @param code how native says so
 * @throws Error if it has ended in any other way
 */
export async function hasGivenUp(service: Service, code: number): Promise<boolean> {
  if (!service.alive()) {
    if (service.exitCode() === code) return true;
    throw new Error(`the supervisor has ended with exit code ${service.exitCode()}, not ${code}`);
  }
  const listed = await service.workers();
  return listed.length > 0 && listed.every(({ state }) => state === 'errored');
}

/** Requests that are in flight until they are released. */
export interface Held {
  /** Has them answered; resolves with how many were not. */
  release(): Promise<number>;
}

/** Gives each of these workers a request that it cannot answer yet. */
export async function occupy(service: Service, pids: readonly number[]): Promise<Held> {
  const answers: Promise<boolean>[] = [];
  const holders = (): number[] => service.journal(/^holds/).map(({ pid }) => pid);
  while (!pids.every(pid => holders().includes(pid))) {
    const answer = request(service.port, '/held').then(
      ({ text }) => text === 'answered',
      () => false,
    );
    answers.push(answer);
    await until(() => holders().length === answers.length, 'somebody has taken the request');
  }
  return {
    async release() {
      service.put('release', '');
      return (await Promise.all(answers)).filter(answered => !answered).length;
    },
  };
}

/** A reload onto a build that is no good, under a client that asks all the time: what is told, who stays, what is lost. */
export async function reloadOnto(service: Service, badBuild: () => void): Promise<string> {
  const before = await service.started(2);
  const client = probe(service);
  badBuild();
  const { ok } = await service.reload();
  // Time for the client to feel what the reload has come to.
  await pause(500);
  const { lost } = await client.stop();
  const stay = before.filter(isAlive).length;
  const told = ok ? 'told as a success' : 'told as a failure';
  const fate = { 0: 'the old workers are gone', 2: 'the old workers stay' }[stay] ?? 'one old worker is gone';
  return `${told}, ${fate}, ${lost > 0 ? 'requests are lost' : 'no request is lost'}`;
}

/** What the supervisor makes of a worker that is not ready when its `listen_timeout` is over. */
export async function trustedUnready(service: Service, listenTimeoutMs: number): Promise<string> {
  await service.start();
  let [isTrusted, isGivenUp] = [false, false];
  await until(async () => {
    isTrusted = (await service.workers()).some(({ state }) => state === 'serving');
    isGivenUp = !isTrusted && (await hasGivenUp(service, EXIT.neverReady));
    return isTrusted || isGivenUp;
  }, 'it is judged');
  // Whoever changes its mind does so when the time is over once more, or twice.
  const changesItsMind = (): boolean => service.starts() > 1 || !service.alive();
  if (isGivenUp) return `tried ${service.starts()} times, then given up`;
  return (await comesTrue(changesItsMind, 3 * listenTimeoutMs))
    ? 'said to serve after listen_timeout, then replaced'
    : 'said to serve after listen_timeout, and never replaced';
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

/** Changes this file again and again until workers are replaced: the first time, the watch may not have begun. */
export async function replacedByChangeOf(service: Service, name: string): Promise<void> {
  const before = service.journal(/^boots/).length;
  let last = -Infinity;
  await until(() => {
    if (performance.now() - last > 1_000) {
      last = performance.now();
      service.put(name, `// ${last}\n`);
    }
    return service.journal(/^boots/).length > before;
  }, `a change of ${name} replaces the worker`);
  await settled(service);
}

/** Whether a change of this file replaces a worker; the watch has begun. */
export async function isReplacedByChangeOf(service: Service, name: string): Promise<boolean> {
  const before = service.journal(/^boots/).length;
  service.put(name, `// ${performance.now()}\n`);
  return comesTrue(() => service.journal(/^boots/).length > before, 1_500);
}
