/** Performs the effects of the core, and what follows from each event. */
import type { AbortReason, Effect, Event, Pool, Predecessor, Verdict } from './core/model.js';
import { wantedFor } from './core/pool.js';
import { isSettled, workersInSlots } from './core/queries.js';
import type { EngineParts } from './engine.js';
import { createInstanceVariables, type InstanceVariables } from './processes/instance-variables.js';
import type { Listener } from './processes/listener.js';
import type { Workers } from './processes/workers.js';
import type { Registry } from './registry.js';
import type { Reloads } from './reloads.js';
import type { Events } from './report/events.js';
import type { Line } from './report/narrate.js';
import { abortText, FAILED_BUILD_STAYS } from './report/wording.js';

export interface PerformerParts {
  readonly registry: Registry;
  readonly workers: Workers;
  readonly listener: Listener;
  readonly reloads: Reloads;
  readonly events: Events;
  /** The supervisor that this one replaces may have listened elsewhere. */
  readonly predecessor: Predecessor | undefined;
  log(line: Line): void;
  ended(verdict: Verdict): void;
}

export function createPerformer(parts: PerformerParts): Pick<EngineParts, 'perform' | 'handled'> {
  const { registry, workers, reloads, events, log } = parts;
  const variables = createInstanceVariables();
  const cleanUp = createCleanUp(parts, variables);
  /** What follows from a reload that has just been aborted, for the log. */
  let advice: string | undefined;

  function perform(effect: Effect, pool: Pool): void {
    switch (effect.type) {
      case 'fork':
        return fork(effect, pool);
      case 'order':
        return workers.order(effect.worker, effect.how);
      case 'kill':
        return workers.kill(effect.worker);
      case 'lend':
        return workers.lend(effect.slot, effect.to);
      case 'return':
        return workers.takeBack(effect.slot, effect.from);
      case 'load':
        return void reloads.load();
      case 'reload.ended':
        cleanUp.addressesMayBeOld();
        advice = adviceOn(effect.aborted, pool, registry);
        return reloads.ended(effect.aborted && abortText(effect.aborted), advice);
      case 'exit':
        return parts.ended(effect.verdict);
    }
  }

  function fork({ worker: id, slot, generation }: Extract<Effect, { type: 'fork' }>, pool: Pool): void {
    const app = registry.app(generation);
    const numbers = variables.of(slot, app, wantedFor(pool, generation));
    const forked = workers.fork({ id, slot, app, variables: numbers });
    if (forked !== undefined) registry.addProcess(forked);
  }

  function handled(event: Event, pool: Pool): void {
    if (advice !== undefined) log({ level: 'warn', msg: advice });
    advice = undefined;
    if (pool.verdict !== undefined) reloads.refuseAll();
    events.handled(event, pool, reloads.last);
    cleanUp.after(event, pool);
  }

  return { perform, handled };
}

/** A build in a folder of its own is left alone by workers of the one before; one that was written over it is not. */
function adviceOn(aborted: AbortReason | undefined, pool: Pool, registry: Registry): string | undefined {
  const isInPlace = registry.lastRead().script === registry.app(pool.generation).script;
  return aborted?.type === 'successor-lost' && isInPlace ? FAILED_BUILD_STAYS : undefined;
}

/** Drops what no worker and no slot can need again. */
function createCleanUp(
  { registry, workers, listener, predecessor }: PerformerParts,
  variables: InstanceVariables,
): {
  /** After a reload or an exit, sockets may be open at addresses that no worker uses any more. */
  addressesMayBeOld(): void;
  after(event: Event, pool: Pool): void;
} {
  let mayHaveOldAddresses = predecessor !== undefined;
  return {
    addressesMayBeOld: () => void (mayHaveOldAddresses = true),
    after(event, pool) {
      if (event.type === 'worker.exited' || event.type === 'fork.failed')
        registry.removeProcess(event.worker, pool);
      if (event.type === 'worker.exited') mayHaveOldAddresses = true;
      if (pool.verdict !== undefined) listener.close();
      if (mayHaveOldAddresses && isSettled(pool))
        mayHaveOldAddresses = !workers.keepAddressesOf(workersInSlots(pool));
      variables.keep(pool.slots.length);
      registry.dropOldApps(pool);
    },
  };
}
