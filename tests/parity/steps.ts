/** Steps that several scenarios share. */
import { cpus } from 'node:os';
import { EXIT } from '../../src/protocol/exit-codes.js';
import { readMachine } from '../../src/platform/cpus.js';
import { isAlive, request, until } from '../support/processes.js';
import { NotPossibleHere } from './scenario.js';
import type { Entry, Service } from './service.js';

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

export const CPUS = cpus().length;

/** Scenarios of their own show that native counts fewer CPUs than PM2 under a quota or an affinity. */
export function requireAllCpus(): void {
  const { affinity, quota = CPUS } = readMachine();
  if (Math.min(affinity, quota) < CPUS) throw new NotPossibleHere('needs every CPU of the machine');
}

/** Whether it becomes true within the time: for what must not happen, so that there is no event to wait for. */
export async function becomesTrue(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await pause(20))
    if (await holds()) return true;
  return holds();
}

/** Waits until every listed worker serves. @returns their pids */
export async function allServing(service: Service): Promise<number[]> {
  let pids: number[] = [];
  await until(async () => {
    const listed = await service.workers();
    pids = listed.flatMap(({ pid, state }) => (state === 'serving' && pid !== null ? [pid] : []));
    return pids.length > 0 && pids.length === listed.length;
  }, 'every worker serves');
  return pids;
}

/** The body of the answer to one request. */
export const bodyOf = async (service: Service, path: string): Promise<string> =>
  (await service.get(path)).text;

/** The values of these environment variables in a worker: `COLOUR red, SHAPE unset`. */
export async function variablesOf(service: Service, ...names: readonly string[]): Promise<string> {
  const values = names.map(async name => `${name} ${await bodyOf(service, `/env?${name}`)}`);
  return (await Promise.all(values)).join(', ');
}

/** Resolves once all of these processes have exited. */
export const untilExited = (pids: readonly number[]): Promise<void> =>
  until(() => !pids.some(isAlive), 'these workers have exited');

/** The instance number with which a worker of `apps/worker.js` booted. */
export const instanceNumberOf = ({ event }: Entry): string => / as (\S+)/.exec(event)?.[1] ?? '';

/** The first word of an event: `boots`, `listens`, `ordered`, … */
export const kindOf = ({ event }: Entry): string => event.split(' ')[0] ?? '';

/** The orders that workers got: `SIGINT`, or `message`. */
export const ordersOf = (service: Service): string =>
  service
    .journal(/^ordered/)
    .map(({ event }) => event.replace('ordered by ', ''))
    .join(', ');

/** The events of each slot since the workers of `before` served: `new boots, …, old exits`. */
export function eventsBySlot(service: Service, before: readonly number[]): string[] {
  const boots = service.journal(/^boots/);
  const slotOf = (pid: number): string =>
    boots
      .filter(boot => boot.pid === pid)
      .map(instanceNumberOf)
      .join();
  const entries = service.journal().filter(({ pid, event }) => {
    const isOld = before.includes(pid);
    return !isOld || /^(ordered|exits)/.test(event);
  });
  return [...new Set(boots.map(instanceNumberOf))].map(slot =>
    entries
      .filter(({ pid }) => slotOf(pid) === slot)
      .map(entry => `${before.includes(entry.pid) ? 'old' : 'new'} ${kindOf(entry)}`)
      .join(', '),
  );
}

/** The last line of a program's output; of a JSON line, its message. */
export function lastLogMessage(text: string): string {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return line.startsWith('{') ? String((JSON.parse(line) as { msg: unknown }).msg) : line;
}

/** For each worker that crashed at boot: the time until the next one booted, in ms. */
export function delaysAfterCrashes(service: Service): number[] {
  const crashes = service.journal(/^crashes/);
  return service
    .journal(/^boots/)
    .slice(1)
    .map(({ at }, index) => at - (crashes[index]?.at ?? at));
}

/**
 * Whether the supervisor has given up: PM2 lists every worker as errored, native exits.
 * @param code the exit code with which native must exit
 * @throws Error if native has exited with another code
 */
export async function hasGivenUp(service: Service, code: number): Promise<boolean> {
  if (!service.supervisorRuns()) {
    if (service.exitCode() === code) return true;
    throw new Error(`the supervisor has ended with exit code ${service.exitCode()}, not ${code}`);
  }
  const listed = await service.workers();
  return listed.length > 0 && listed.every(({ state }) => state === 'errored');
}

/** Requests that are in flight until they are released. */
export interface HeldRequests {
  /** Lets the workers answer. @returns how many requests were lost */
  release(): Promise<number>;
}

/** Sends requests that are not answered until they are released, until each of these workers has one. */
export async function holdRequests(service: Service, pids: readonly number[]): Promise<HeldRequests> {
  const answers: Promise<boolean>[] = [];
  const holders = (): number[] => service.journal(/^holds/).map(({ pid }) => pid);
  while (!pids.every(pid => holders().includes(pid))) {
    const answer = request(service.port, '/held').then(
      ({ text }) => text === 'answered',
      () => false,
    );
    answers.push(answer);
    await until(() => holders().length === answers.length, 'a worker holds the request');
  }
  return {
    async release() {
      service.writeFile('release', '');
      return (await Promise.all(answers)).filter(answered => !answered).length;
    },
  };
}

/** Deploys a broken build and reloads to it under load. */
export async function reloadBrokenBuild(service: Service, deploy: () => void): Promise<string> {
  const before = await service.startAndServe(2);
  const load = startLoad(service);
  deploy();
  const { ok } = await service.reload();
  // Time for requests to meet the result of the reload.
  await pause(500);
  const { lost } = await load.stop();
  const remaining = before.filter(isAlive).length;
  const workers =
    { 0: 'the old workers are gone', 2: 'the old workers stay' }[remaining] ?? 'one old worker is gone';
  return `reports ${ok ? 'success' : 'failure'}, ${workers}, ${lossOf(lost)}`;
}

export const lossOf = (lost: number): string => (lost > 0 ? 'requests are lost' : 'no request is lost');

/** Starts a service whose worker is not ready within `listen_timeout`. */
export async function startUnready(service: Service, listenTimeoutMs: number): Promise<string> {
  await service.start();
  let [isServing, isGivenUp] = [false, false];
  await until(async () => {
    isServing = (await service.workers()).some(({ state }) => state === 'serving');
    isGivenUp = !isServing && (await hasGivenUp(service, EXIT.neverReady));
    return isServing || isGivenUp;
  }, 'the worker is listed as serving, or the supervisor gives up');
  if (isGivenUp) return `gives up after ${service.forkCount()} starts`;
  // A later decision would come after one or two more listen_timeouts.
  const isReplaced = (): boolean => service.forkCount() > 1 || !service.supervisorRuns();
  return `listed as serving after listen_timeout, ${
    (await becomesTrue(isReplaced, 3 * listenTimeoutMs)) ? 'then' : 'never'
  } replaced`;
}

/** Makes the only worker exit, and says how it is replaced. */
export async function replacementAfter(
  service: Service,
  endWorker: (pid: number) => Promise<unknown>,
): Promise<string> {
  const [victim = 0] = await service.startAndServe(1);
  await endWorker(victim);
  await until(() => service.journal(/^listens/).length === 2, 'a new worker listens');
  const [successor] = await service.servingPids(1);
  await service.untilAnswering();
  const numbers = new Set(service.journal(/^boots/).map(instanceNumberOf));
  if (successor === victim || isAlive(victim)) return 'not replaced';
  return numbers.size === 1 ? 'replaced, with the same instance number' : 'replaced, with another number';
}

/** Requests a path that makes a worker misbehave; the request may fail. */
export const trigger = (service: Service, path: string): Promise<unknown> =>
  service.get(path).catch(() => undefined);

export interface Load {
  /** @returns how many requests were sent, and how many of them were refused, reset or not answered */
  stop(): Promise<{ readonly sent: number; readonly lost: number }>;
}

/** Sends one request after another, each on a new connection. */
export function startLoad(service: Service, path = '/'): Load {
  const stopping = new AbortController();
  let [sent, lost] = [0, 0];
  const work = (async () => {
    while (!stopping.signal.aborted) {
      sent++;
      await service.get(path).catch(() => lost++);
      await pause(10);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await work;
      return { sent, lost };
    },
  };
}

/** Changes the file until a worker is replaced: at the first change, the watch may not have begun. */
export async function changeUntilReplaced(service: Service, name: string): Promise<void> {
  const before = service.journal(/^boots/).length;
  let changedAt = -Infinity;
  await until(() => {
    if (performance.now() - changedAt > 1_000) {
      changedAt = performance.now();
      service.writeFile(name, `// ${changedAt}\n`);
    }
    return service.journal(/^boots/).length > before;
  }, `a change of ${name} replaces the worker`);
  await allServing(service);
}

/** Changes the file once the watch has begun. @returns whether a worker is replaced */
export async function changeReplacesWorker(service: Service, name: string): Promise<boolean> {
  const before = service.journal(/^boots/).length;
  service.writeFile(name, `// ${performance.now()}\n`);
  return becomesTrue(() => service.journal(/^boots/).length > before, 1_500);
}

/** Starts `apps/with-helper.js` with one worker. */
export async function startWithHelper(service: Service): Promise<void> {
  await service.startAndServe(1);
  await until(() => helpersOf(service).length === 1, 'the worker has a helper');
}

/** The pids of all helpers that workers of `apps/with-helper.js` have started. */
export const helpersOf = (service: Service): number[] => service.journal(/^helps/).map(({ pid }) => pid);

/** How many of these processes are alive after they have had time to exit. */
export async function countLeft(pids: readonly number[]): Promise<number> {
  await becomesTrue(() => !pids.some(isAlive), 2_000);
  return pids.filter(isAlive).length;
}

/** Starts and stops a worker with a helper. */
export async function helperAfterStop(service: Service): Promise<string> {
  await startWithHelper(service);
  await service.stop();
  const left = await countLeft(helpersOf(service));
  const alive = helpersOf(service).filter(isAlive);
  for (const pid of alive) process.kill(pid, 'SIGKILL');
  await untilExited(alive);
  return left === 0 ? 'no helper is left' : 'the helper is left';
}

/** Starts as many workers as there are CPUs. */
export async function startOnAllCpus(service: Service): Promise<string> {
  requireAllCpus();
  await service.start();
  const { length } = await allServing(service);
  return length === CPUS ? 'a worker for each CPU' : `${length} workers on ${CPUS} CPUs`;
}

/** Requests `/` before and after a reload. */
export async function answersAcrossReload(service: Service): Promise<string> {
  const before = await service.startAndServe(2);
  const earlier = await bodyOf(service, '/');
  const { ok } = await service.reload();
  await untilExited(before);
  const later = await bodyOf(service, '/');
  return ok ? `${earlier} answers before, ${later} answers after a reload` : 'not reloaded';
}

/** A variable of the app file before a reload, and after the file has changed. */
export async function colourAcrossReload(service: Service): Promise<string> {
  const { ok, text } = await service.start();
  if (!ok) return `refused: ${text}`;
  const [own = 0] = await service.servingPids(1);
  const before = await variablesOf(service, 'COLOUR');
  service.writeAppFile({ env: { COLOUR: 'blue' } });
  await service.reload();
  await untilExited([own]);
  return `starts with ${before}, reloads to ${await variablesOf(service, 'COLOUR')}`;
}

/** Resolves when another service on the same port serves, or its supervisor has refused it. */
export const servesOrIsRefused = (second: Service): Promise<void> =>
  until(async () => {
    if (!second.supervisorRuns()) return true;
    return (await second.workers()).some(({ state }) => state === 'serving');
  }, 'the second service serves or is refused');
