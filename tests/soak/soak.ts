/**
 * `promises`: keeps each promise of `docs/reload.md` many times, for the tables of `docs/reload-measurements.md`. Without
 * that word: a native service under constant load while everything that can happen to it does, at random, until the
 * time is up.
 * The only failures that are excused are requests on connections that a fallen worker held. Anything else ends it with
 * exit code 1.
 */
import { parseArgs } from 'node:util';
import { freePort, request } from '../support/processes.js';
import { strictClient, type Report, type StrictClient } from '../support/strict-client.js';
import { allActions, choose, eventually, serving, settled, type Stage } from './actions.js';
import { keepPromises } from './promises.js';
import { createRandom, type Random } from './random.js';
import { Site } from './site.js';
import { table, type Sample } from './table.js';

interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly workers: number;
}

/** Every kind of client at once: kept alive, new for each request, and slow. */
const LOAD = { keptAlive: 12, newEveryMs: 8, pauseMs: 15, long: 3, timeoutMs: 20_000 };
const SAMPLE_MS = 100;

/** Beyond the time that was asked for: the last action, the last drain. */
const GRACE_MS = 180_000;

/** What has happened so far. */
interface Tally {
  readonly reports: Report[];
  readonly problems: string[];
  readonly actions: Map<string, number>;
  readonly samples: Sample[];
  falls: number;
  /** Requests that fallen workers held, and those that came when the service had stopped. */
  held: number;
  late: number;
}

const USAGE = `Usage: yarn soak [--seed N] [--minutes M] [--workers W]
       yarn soak promises [--only TEXT] [--write]
  --seed N      replays the same actions                 (another one each time)
  --minutes M   how long                                 (2)
  --workers W   workers at the start                     (3)
  --only TEXT   the promises whose name contains it      (all of them)
  --write       writes the table into docs/reload-measurements.md
`;

function parse(argv: readonly string[]) {
  try {
    const options = {
      seed: { type: 'string' },
      minutes: { type: 'string' },
      workers: { type: 'string' },
      only: { type: 'string' },
      write: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return process.exit(2);
  }
}

function optionsOf({ values }: ReturnType<typeof parse>): Options {
  const number = (name: 'seed' | 'minutes' | 'workers', fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (value > 0) return value;
    say(`--${name} must be a number above 0, got ${values[name]}`);
    return process.exit(2);
  };
  return {
    seed: Math.floor(number('seed', 1 + (Date.now() % 1_000_000))),
    minutes: number('minutes', 2),
    workers: Math.floor(number('workers', 3)),
  };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function soak({ seed, minutes, workers }: Options): Promise<boolean> {
  const site = new Site(await freePort());
  const tally: Tally = {
    reports: [],
    problems: [],
    actions: new Map(),
    samples: [],
    falls: 0,
    held: 0,
    late: 0,
  };
  const abandon = (why: string): void => {
    void site.end().then(() => {
      say(`✗ ${why} (seed ${seed})`);
      process.exit(1);
    });
  };
  const watchdog = setTimeout(() => abandon('it did not end in time'), minutes * 60_000 + GRACE_MS);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => abandon(`stopped by ${signal}`));
  try {
    await site.start(workers);
    say(`Soaking ${workers} workers on Node ${process.version} for ${minutes} min, seed ${seed}`);
    await perform(site, createRandom(seed), tally, { minutes, workers });
  } catch (error) {
    tally.problems.push(String((error as Error).stack));
  } finally {
    clearTimeout(watchdog);
    say(table(tally));
    if (tally.problems.length > 0) say(`The last lines of the log:\n${lastLines(site)}\n`);
    await site.end();
  }
  for (const problem of tally.problems) say(`✗ ${problem}`);
  say(
    tally.problems.length === 0
      ? '✓ Nothing was lost but what fallen workers held'
      : `✗ ${tally.problems.length} problems; --seed ${seed} chooses the same actions again`,
  );
  return tally.problems.length === 0;
}

async function perform(
  site: Site,
  random: Random,
  tally: Tally,
  { minutes, workers }: Pick<Options, 'minutes' | 'workers'>,
): Promise<void> {
  const { port } = site;
  const begun = performance.now();
  const descriptors = site.descriptors();
  const client = strictClient({ port, ...LOAD });
  const sampler = sample(site, tally, begun);
  const stage = stageOf(site, random, tally, sampler.leastServing, 2 * workers);
  const actions = allActions();

  try {
    while (performance.now() - begun < minutes * 60_000) {
      await new Promise(resolve => setTimeout(resolve, random.between(20, 400)));
      const { name, perform: act } = choose(actions, random);
      const [at, failed] = [performance.now(), client.lost.length];
      const what = await act(stage);
      // What is still being answered belongs to this action.
      await eventually(
        () => client.oldestMs < performance.now() - at,
        'whatever was asked has been answered',
      );
      tally.actions.set(name, (tally.actions.get(name) ?? 0) + 1);
      const lost = client.lost.slice(failed);
      for (const one of site.stunts.judge({ lost }).unexcused)
        tally.problems.push(`${name} (${what}) cost a request: ${one.kind}: ${one.what}`);
      say(progress({ name, what, at: at - begun, took: performance.now() - at, lost: lost.length, client }));
    }
    await site.order('/scale', { instances: workers });
    await settled(site);
  } finally {
    sampler.stop();
    judge(site, tally, await client.stop());
  }
  const most = Math.max(...tally.samples.map(({ wanted }) => wanted));
  const now = site.descriptors();
  // A slot's socket stays open until the service stops, for each slot that ever was.
  if (now > descriptors + most + 4)
    tally.problems.push(`the supervisor holds ${now} descriptors, at first ${descriptors}`);
  await endUnderLoad(site, tally, 'SIGTERM');
  await site.start(workers);
  await endUnderLoad(site, tally, 'SIGKILL');
}

/** Whatever was sent on a connection that had been accepted is answered, and nothing is left. */
async function endUnderLoad(site: Site, tally: Tally, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { port, supervisor } = site;
  const client = strictClient({ port, ...LOAD });
  await eventually(() => client.sent > 300, 'there is load');
  const stoppedAt = Date.now();
  supervisor.kill(signal);
  const { code } = await supervisor.ended;
  if (signal === 'SIGTERM' && code !== 0) tally.problems.push(`SIGTERM ended the service with ${code}`);
  await eventually(() => !groupLives(supervisor.pid), 'no process is left');
  judge(site, tally, await client.stop(), stoppedAt);
  const outcome = await request(port, '/health').catch((error: NodeJS.ErrnoException) => error.code);
  if (outcome !== 'ECONNREFUSED') tally.problems.push(`the port is still held after ${signal}`);
}

function stageOf(
  site: Site,
  random: Random,
  tally: Tally,
  leastServing: () => number,
  mostWorkers: number,
): Stage {
  const hung = new Set<number>();
  return {
    site,
    random,
    mostWorkers,
    leastServing,
    kill(pid) {
      const how = random.pick(['exit', 'SIGKILL'] as const);
      if (hung.delete(pid)) return gone(() => process.kill(pid, 'SIGKILL'));
      tally.falls++;
      gone(() => site.stunts.fall(pid, how));
    },
    async hang(pid) {
      tally.falls++;
      hung.add(pid);
      gone(() => site.stunts.fall(pid, 'SIGSTOP'));
      await eventually(() => site.stunts.hasSpoken(pid), 'it hangs');
    },
  };
}

/** For a worker that may have left in this very moment. */
function gone(kill: () => void): void {
  try {
    kill();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Sampler {
  stop(): void;
  leastServing(): number;
}

function sample(site: Site, tally: Tally, begun: number): Sampler {
  let least = Infinity;
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    void site
      .status()
      .then(status => {
        const count = serving(status).length;
        least = Math.min(least, count);
        const { wanted, workers } = status;
        tally.samples.push({ at: performance.now() - begun, serving: count, wanted, rows: workers.length });
      })
      .catch((error: Error) => tally.problems.push(`the control socket failed: ${error.message}`))
      .finally(() => (asking = false));
  }, SAMPLE_MS);
  return {
    stop: () => clearInterval(timer),
    leastServing() {
      const found = least;
      least = Infinity;
      return found;
    },
  };
}

function judge(site: Site, tally: Tally, report: Report, stoppedAt = Infinity): void {
  const { held, late, unexcused } = site.stunts.judge(report, { stoppedAt });
  tally.reports.push(report);
  tally.held += held;
  tally.late += late;
  if (report.answered + report.lost.length !== report.sent) tally.problems.push('requests are missing');
  for (const { kind, what } of unexcused) {
    const problem = `a request was lost: ${kind}: ${what}`;
    if (tally.problems.length < 20) tally.problems.push(problem);
  }
}

function progress(line: {
  readonly name: string;
  readonly what: string;
  readonly at: number;
  readonly took: number;
  readonly lost: number;
  readonly client: StrictClient;
}): string {
  const { name, what, at, took, lost, client } = line;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const cost = lost === 0 ? '' : `  ${lost} lost`;
  return `${seconds(at).padStart(8)}  ${String(client.sent).padStart(7)} sent  ${name}${what === '' ? '' : ` (${what})`} in ${seconds(took)}${cost}`;
}

const lastLines = (site: Site): string => site.supervisor.text().split('\n').slice(-60).join('\n');

/** Whether any process of the service's group is left. */
function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function main(argv: readonly string[]): Promise<boolean> {
  const parsed = parse(argv);
  const { values, positionals } = parsed;
  if (values.help === true) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const [what, ...others] = positionals;
  if (what === undefined) return soak(optionsOf(parsed));
  if (what === 'promises' && others.length === 0) return keepPromises(values, say);
  process.stderr.write(`Unknown: ${positionals.join(' ')}\n${USAGE}`);
  return process.exit(2);
}

void main(process.argv.slice(2)).then(well => process.exit(well ? 0 : 1));
