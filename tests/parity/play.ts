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

/** No play takes longer, not even on a machine that does five other things; one that does hangs. */
const PLAY_MS = 90_000;

const stages = new Set<Stage>();
let isOver = false;

/** Ends whatever is being played, for whoever is in a hurry; nothing is played from then on. */
export async function clearAll(): Promise<void> {
  isOver = true;
  await Promise.allSettled([...stages].map(({ clear }) => clear()));
}

/**
 * @param patience gives the play up when it is aborted, at the latest after {@link PLAY_MS}
 * @throws Error if the play could not go on, hung, or left something behind
 */
export async function play(
  scenario: Scenario,
  driver: DriverName,
  patience = new AbortController(),
): Promise<Seen> {
  const set = await stage(scenario, driver);
  if (isOver) {
    await set.clear();
    throw new Error('not played any more');
  }
  stages.add(set);
  // Counted on, not only waited for: a promise that nobody keeps would let the whole run end, as if all were well.
  const timer = setTimeout(() => patience.abort(), PLAY_MS);
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => reject(new Error(`it hangs: not over after ${PLAY_MS} ms`));
    patience.signal.addEventListener('abort', giveUp, { once: true });
  });
  const outcome = await Promise.race([scenario.play(set.service), late]).then(
    (saw): Seen => ({ saw }),
    (error: unknown): Seen | Error => {
      if (error instanceof Impossible) return { impossible: error.message };
      return error instanceof Error ? error : new Error(String(error));
    },
  );
  clearTimeout(timer);
  const problems = await set.clear().finally(() => stages.delete(set));
  if (outcome instanceof Error) throw new Error([outcome.message, ...problems].join('; '));
  if (problems.length > 0) throw new Error(problems.join('; '));
  return outcome;
}

/** Why what was seen is not what the scenario states; nothing where it is. */
export function mismatch({ expect }: Scenario, driver: DriverName, seen: Seen): string | undefined {
  if ('impossible' in seen || seen.saw === expect[driver]) return undefined;
  return `${driver} did: ${seen.saw}\n  expected: ${expect[driver]}`;
}
