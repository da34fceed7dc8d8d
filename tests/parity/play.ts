/** Plays scenarios against both supervisors and judges what was seen. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DriverName } from './drivers/driver.js';
import { Impossible, type Scenario } from './scenario.js';
import { stage, type Stage } from './service.js';

const FOLDER = join(__dirname, 'scenarios');

/** What was seen; `impossible` where the machine does not allow to look. */
export type Seen = { readonly saw: string } | { readonly impossible: string };

export interface Named extends Scenario {
  readonly name: string;
}

/** Every scenario of the folder; the name is the file's. */
export function allScenarios(): Named[] {
  return readdirSync(FOLDER)
    .filter(file => file.endsWith('.ts'))
    .toSorted()
    .map(file => {
      const { default: found } = require(join(FOLDER, file)) as { default: Scenario };
      return { ...found, name: basename(file, '.ts') };
    });
}

/** No play takes longer, not even on a machine that does five other things. */
const PLAY_MS = 90_000;

function bounded<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${PLAY_MS} ms`)), PLAY_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const stages = new Set<Stage>();

/** Ends whatever is being played, for whoever is in a hurry. */
export async function clearAll(): Promise<void> {
  await Promise.allSettled([...stages].map(({ clear }) => clear()));
}

/** @throws Error if the play could not go on, or left a process behind */
export async function play(scenario: Scenario, driver: DriverName): Promise<Seen> {
  const set = await stage(scenario, driver);
  stages.add(set);
  return playOn(set, scenario).finally(() => stages.delete(set));
}

async function playOn({ service, clear }: Stage, scenario: Scenario): Promise<Seen> {
  let seen: Seen;
  try {
    seen = { saw: await bounded(scenario.play(service)) };
  } catch (error) {
    if (!(error instanceof Impossible)) {
      await clear().catch(() => undefined);
      throw error;
    }
    seen = { impossible: error.message };
  }
  const left = await clear();
  if (left.length > 0) throw new Error(`left behind: ${left.length} workers`);
  return seen;
}

/** Why what was seen is not what the scenario states; nothing where it is. */
export function mismatch({ expect }: Scenario, driver: DriverName, seen: Seen): string | undefined {
  if ('impossible' in seen || seen.saw === expect[driver]) return undefined;
  return `${driver} did: ${seen.saw}\n  expected: ${expect[driver]}`;
}
