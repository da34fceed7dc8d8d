/** What the actions of a soak work with, and what they check. */
import type { Status, WorkerStatus } from '../../src/supervisor/report/status.js';
import type { ChannelFault } from '../support/failing-workers.js';
import { until } from '../support/processes.js';
import type { Random } from './random.js';
import type { SoakService } from './service.js';

/** What an action works with. */
export interface Context {
  readonly service: SoakService;
  readonly random: Random;
  readonly maxWorkers: number;
  /** Kills a worker or makes it exit; requests that it holds are not counted as lost. */
  kill(pid: number): void;
  /** Suspends a worker that will be killed later; requests that it holds are not counted as lost. */
  hang(pid: number): Promise<void>;
  /** Breaks a worker's channel, for which it is killed; requests that it holds are not counted as lost. */
  breakChannel(pid: number, how: ChannelFault): void;
  /** The control socket may fail meanwhile. */
  withoutControl(act: () => Promise<void>): Promise<void>;
  /** The smallest number of serving workers since the last call. */
  takeMinServing(): number;
}

/** A check that failed; the soak fails with it. */
export class Violation extends Error {}

export interface Action {
  readonly name: string;
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  /** @returns what was done, in a few words. @throws Violation */
  perform(context: Context): Promise<string>;
}

export const serving = ({ workers }: Status): WorkerStatus[] =>
  workers.filter(({ state, pid }) => state === 'ready' && pid !== null);

export const pids = (status: Status): number[] => serving(status).flatMap(({ pid }) => pid ?? []);

/** `until` with a timeout for a machine under full load. */
export const eventually = (holds: () => boolean | Promise<boolean>, what: string): Promise<void> =>
  until(holds, what, 60_000);

export function assert(holds: boolean, otherwise: string): void {
  if (!holds) throw new Violation(otherwise);
}

/** Resolves when every wanted worker serves and no other one exists. */
export async function untilSettled(service: SoakService): Promise<Status> {
  let status = await service.status();
  await eventually(
    async () => {
      status = await service.status();
      const { wanted, workers } = status;
      return workers.length === wanted && serving(status).length === wanted;
    },
    `the service has settled; it is ${JSON.stringify(status)}`,
  ).catch((error: Error) => {
    throw new Violation(error.message);
  });
  return status;
}

/** Resolves when the supervisor has noticed that these are gone and has settled. */
export async function untilReplaced(service: SoakService, gone: readonly number[]): Promise<Status> {
  const isListed = async (): Promise<boolean> =>
    (await service.status()).workers.some(({ pid }) => pid !== null && gone.includes(pid));
  await eventually(
    async () => !(await isListed()),
    `the supervisor has noticed that ${gone.join(', ')} are gone`,
  );
  return untilSettled(service);
}

export async function reloadSuccessfully(context: Context, why: string): Promise<void> {
  const { service } = context;
  const before = await untilSettled(service);
  context.takeMinServing();
  const { ok, reason } = await service.command('/reload');
  assert(ok, `${why}: the reload failed: ${reason}`);
  const min = context.takeMinServing();
  assert(min >= before.wanted, `${why}: only ${min} of ${before.wanted} workers served during the reload`);
  const after = await untilSettled(service);
  const kept = pids(before).filter(pid => pids(after).includes(pid));
  assert(kept.length === 0, `${why}: the reload did not replace ${kept.join(', ')}`);
}

/** A reload that must fail and change nothing. @returns the reason of the failure */
export async function reloadInVain(context: Context, why: string): Promise<string> {
  const { service } = context;
  const before = await untilSettled(service);
  context.takeMinServing();
  const { ok, reason } = await service.command('/reload');
  assert(!ok, `${why}: the reload succeeded`);
  assert(context.takeMinServing() >= before.wanted, `${why}: fewer workers served`);
  const after = await untilSettled(service);
  assert(
    String(pids(after)) === String(pids(before)) && after.generation === before.generation,
    `${why}: the failed reload has changed the service`,
  );
  return reason ?? '';
}

export async function pickWorker({ service, random }: Context): Promise<number> {
  return random.pick(pids(await service.status()));
}
