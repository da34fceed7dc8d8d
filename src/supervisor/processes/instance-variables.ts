/**
 * The variables that number the workers of one app (`instance_var` and `increment_var`), and those by which PM2 describes
 * a worker to itself.
 */
import type { App } from '../app-file/load.js';
import type { SlotId } from '../core/model.js';

export interface InstanceVariables {
  /** Of one fork. @param instances how many workers the service is to have */
  of(slot: SlotId, app: App, instances: number): Record<string, string>;
  /** Slots from this number on are gone; should they come back, they count on. */
  keep(slots: number): void;
}

/**
 * A slot keeps its numbers over crashes and reloads. The instance number is used again after a scale-down, the
 * incremented one never is (God.js:602-649 of PM2 does the same).
 */
export function createInstanceVariables(): InstanceVariables {
  const given = new Map<SlotId, number>();
  const forks = new Map<SlotId, number>();
  let next = 0;

  function increment(slot: SlotId, app: App, name: string): number {
    const known = given.get(slot);
    if (known !== undefined) return known;
    const value = Math.max(next, Number(app.env[name]) || 0);
    next = value + 1;
    given.set(slot, value);
    return value;
  }

  return {
    of(slot, app, instances) {
      const restarts = forks.get(slot) ?? 0;
      forks.set(slot, restarts + 1);
      const numbered = { ...describe(app, instances, restarts), [app.instanceVar]: String(slot) };
      const { incrementVar } = app;
      return incrementVar === undefined
        ? numbered
        : { ...numbered, [incrementVar]: String(increment(slot, app, incrementVar)) };
    },
    keep(slots) {
      for (const known of [given, forks])
        for (const slot of known.keys()) if (slot >= slots) known.delete(slot);
    },
  };
}

/**
 * What PM2 sets (God.js, ProcessContainer.js) and programs read, where it is true here and harmless. Not `pm_id`: it would
 * say that PM2 runs the worker. As under PM2, a variable of the app's own environment comes first.
 */
function describe(
  { name, namespace, env }: App,
  instances: number,
  restarts: number,
): Record<string, string> {
  const described = {
    name,
    namespace,
    instances: String(instances),
    exec_mode: 'cluster_mode',
    restart_time: String(restarts),
  };
  return Object.fromEntries(Object.entries(described).filter(([variable]) => !(variable in env)));
}
