/** The variables that number the workers of one app: `instance_var` and `increment_var`. */
import type { App } from '../app-file/load.js';
import type { SlotId } from '../core/model.js';

export interface InstanceVariables {
  of(slot: SlotId, app: App): Record<string, string>;
  /** Slots from this number on are gone; should they come back, they count on. */
  keep(slots: number): void;
}

/**
 * A slot keeps its numbers over crashes and reloads. The instance number is used again after a scale-down, the
 * incremented one never is (God.js:602-649 of PM2 does the same).
 */
export function createInstanceVariables(): InstanceVariables {
  const given = new Map<SlotId, number>();
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
    of(slot, app) {
      const numbered = { [app.instanceVar]: String(slot) };
      const { incrementVar } = app;
      return incrementVar === undefined
        ? numbered
        : { ...numbered, [incrementVar]: String(increment(slot, app, incrementVar)) };
    },
    keep(slots) {
      for (const slot of given.keys()) if (slot >= slots) given.delete(slot);
    },
  };
}
