/** Runs scenarios under both supervisors and compares what they do with what is expected. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DriverName } from './drivers/driver.js';
import { NotPossibleHere, type Scenario } from './scenario.js';
import { createContext, type Context } from './service.js';

const FOLDER = join(__dirname, 'scenarios');

/** What a supervisor did; `notPossible` is the reason why this machine cannot run the scenario. */
export type Observation = { readonly sentence: string } | { readonly notPossible: string };

export interface NamedScenario extends Scenario {
  readonly name: string;
}

/** Every scenario of the folder, named after its file. */
export function loadScenarios(): NamedScenario[] {
  return readdirSync(FOLDER)
    .filter(file => file.endsWith('.ts'))
    .toSorted()
    .map(file => {
      const { default: found } = require(join(FOLDER, file)) as { default: Scenario };
      return { ...found, name: basename(file, '.ts') };
    });
}

/** Longer than any scenario takes, even on a busy machine. */
const TIMEOUT_MS = 90_000;

const contexts = new Set<Context>();
let isInterrupted = false;

/** Ends all running scenarios with their processes; none is started afterwards. */
export async function interruptAll(): Promise<void> {
  isInterrupted = true;
  await Promise.allSettled([...contexts].map(({ cleanUp }) => cleanUp()));
}

/**
 * @param timeout ends the scenario when it is aborted, at the latest after {@link TIMEOUT_MS}
 * @throws Error if the scenario failed, hung or left something behind
 */
export async function runScenario(
  scenario: Scenario,
  driver: DriverName,
  timeout = new AbortController(),
): Promise<Observation> {
  const context = await createContext(scenario, driver);
  if (isInterrupted) {
    await context.cleanUp();
    throw new Error('interrupted');
  }
  contexts.add(context);
  // A referenced timer: if nothing else keeps the event loop alive, the process must not end as if all were well.
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  const timedOut = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(new Error(`it hangs: not finished after ${TIMEOUT_MS} ms`));
    timeout.signal.addEventListener('abort', fail, { once: true });
  });
  const outcome = await Promise.race([scenario.run(context.service), timedOut]).then(
    (sentence): Observation => ({ sentence }),
    (error: unknown): Observation | Error => {
      if (error instanceof NotPossibleHere) return { notPossible: error.message };
      return error instanceof Error ? error : new Error(String(error));
    },
  );
  clearTimeout(timer);
  const problems = await context.cleanUp().finally(() => contexts.delete(context));
  if (outcome instanceof Error) throw new Error([outcome.message, ...problems].join('; '));
  if (problems.length > 0) throw new Error(problems.join('; '));
  return outcome;
}

/** How the observation differs from the expectation; `undefined` if it does not. */
export function mismatch(
  { expect }: Scenario,
  driver: DriverName,
  observation: Observation,
): string | undefined {
  if ('notPossible' in observation || observation.sentence === expect[driver]) return undefined;
  return `${driver} did: ${observation.sentence}\n  expected: ${expect[driver]}`;
}
