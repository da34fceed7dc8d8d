/** `yarn hardening faults`: faults of the machine against the built product under load, for `docs/reliability.md`. */
import { parseArgs } from 'node:util';
import { cleanUp, within } from '../../support/processes.js';
import { writeSection } from '../section.js';
import { FAULTS } from './all.js';
import type { Fault } from './fault.js';
import { duration, table, type Skipped } from './table.js';
import { tryFault, type Outcome } from './trial.js';

const USAGE = `Usage: yarn hardening faults [--only NAME] [--list] [--write]
  --only NAME   faults whose name contains NAME; several are separated by commas (all of them)
  --list        lists the faults
  --write       writes the table into docs/reliability.md
`;

/** Far longer than any fault takes. */
const DEADLINE_MS = 180_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function optionsOf(argv: readonly string[]) {
  const options = {
    only: { type: 'string' },
    list: { type: 'boolean' },
    write: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  return parseArgs({ args: [...argv], options }).values;
}

/** @returns whether everything held */
export async function run(argv: readonly string[]): Promise<boolean> {
  const { only, list = false, write = false, help = false } = optionsOf(argv);
  if (help) return (say(USAGE.trimEnd()), true);
  const names = only?.split(',') ?? [''];
  const faults = FAULTS.filter(({ name }) => names.some(wanted => name.includes(wanted)));
  if (list) return (faults.forEach(({ name, what }) => say(`${name.padEnd(28)} ${what}`)), true);
  if (faults.length === 0) return (say(`No fault has "${only}" in its name; --list lists them`), false);
  if (write && only !== undefined) return (say('--write needs all faults: leave --only out'), false);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void cleanUp().then(() => process.exit(1)));
  const outcomes = await tryAll(faults);
  const tried = outcomes.filter((one): one is Outcome => !('why' in one));
  const failed = tried.filter(({ problems }) => problems.length > 0);
  const text = table(outcomes);
  say(`\n${text}\n`);
  if (write && failed.length === 0) await writeSection('faults', `${introduction(tried)}\n\n${text}`);
  say(
    failed.length === 0 ? '✓ Everything held' : `✗ ${failed.length} of ${tried.length} faults had problems`,
  );
  return failed.length === 0;
}

async function tryAll(faults: readonly Fault[]): Promise<(Outcome | Skipped)[]> {
  const outcomes: (Outcome | Skipped)[] = [];
  for (const fault of faults)
    for (const host of fault.under) {
      const why = fault.needs?.();
      const outcome = why === undefined ? await tryOne(fault, host) : { what: fault.what, under: host, why };
      say(progress(`${fault.name} (${host})`, outcome));
      outcomes.push(outcome);
    }
  return outcomes;
}

async function tryOne(fault: Fault, host: Outcome['host']): Promise<Outcome> {
  try {
    return await within(tryFault(fault, host), () => `it took more than ${DEADLINE_MS} ms`, DEADLINE_MS);
  } catch (error) {
    const problems = [String((error as Error).stack)];
    const nothing = {
      log: [],
      sent: 0,
      failed: 0,
      failures: {},
      slowestMs: 0,
      line: undefined,
      healedMs: undefined,
    };
    return { fault, host, problems, ...nothing };
  } finally {
    await cleanUp();
  }
}

function progress(title: string, outcome: Outcome | Skipped): string {
  if ('why' in outcome) return `- ${title}: not tried: ${outcome.why}`;
  const { sent, failed, slowestMs, healedMs, problems, line, log } = outcome;
  const healed = healedMs === undefined ? 'not healed' : `healed after ${duration(healedMs)}`;
  const clients = `${sent} sent, ${failed} failed, slowest ${duration(slowestMs)}`;
  return [
    `${problems.length === 0 ? '✓' : '✗'} ${title}: ${clients}; ${healed}`,
    ...(line === undefined ? [] : [`    ${line.slice(0, 200)}`]),
    ...problems.map(problem => `  ✗ ${problem}`),
    ...(problems.length === 0 ? [] : log.map(text => `    | ${text.slice(0, 300)}`)),
  ].join('\n');
}

const introduction = (outcomes: readonly Outcome[]): string =>
  `${outcomes.length} trials on Node ${process.version}, two workers, some 300 requests a second on kept-alive and new
connections. Clients do not retry. *Healed* is the time from the end of the fault until every worker served again, and
how. Afterwards the supervisor had as many processes and descriptors as before, and the service stopped with exit code 0.`;
