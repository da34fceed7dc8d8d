/**
 * `yarn soak`: a native service under constant load, on which random actions are performed until the time is up.
 * `yarn soak --chaos`: with faults of the machine, hostile workers, broken app files and malformed requests among them.
 * `yarn soak guarantees`: checks each guarantee of `docs/reload.md` many times, for `docs/reload-measurements.md`.
 * The only requests that may fail are those on connections that a failed worker held, and those after a stop. Anything
 * else ends the soak with exit code 1.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort, request } from '../support/processes.js';
import { strictClient, type Report, type StrictClient } from '../support/strict-client.js';
import { pickAction, usualActions } from './actions.js';
import { chaosActions } from './chaos.js';
import { eventually, serving, untilSettled, type Action, type Context } from './checks.js';
import { checkGuarantees } from './guarantees.js';
import { writeSection } from '../hardening/section.js';
import { createRandom, type Random } from './random.js';
import { SoakService } from './service.js';
import { chaosPage, table, type Sample } from './table.js';

interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly workers: number;
  readonly chaos: boolean;
  readonly write: boolean;
  /** Only actions whose name contains this. */
  readonly only: string;
}

/** All kinds of clients at once: kept-alive connections, a connection for each request, and slow requests. */
const LOAD = { keptAlive: 12, newEveryMs: 8, pauseMs: 15, long: 3, timeoutMs: 20_000 };
const SAMPLE_MS = 100;

/** Added to the requested duration for the last action and the last drain. */
const GRACE_MS = 180_000;

/** The results so far. */
interface Results {
  readonly reports: Report[];
  readonly problems: string[];
  readonly actions: Map<string, number>;
  readonly samples: Sample[];
  failedWorkers: number;
  /** Failed requests that a failed worker held. */
  held: number;
  /** Failed requests that came after the service had stopped. */
  late: number;
}

const USAGE = `Usage: yarn soak [--chaos [--write]] [--seed N] [--minutes M] [--workers W]
       yarn soak guarantees [--only TEXT] [--write]
  --chaos       further actions: faults of the machine, hostile workers, broken app files, malformed requests
  --seed N      chooses the same actions again           (a new seed each time)
  --minutes M   duration                                 (2)
  --workers W   workers at the start                     (3)
  --only TEXT   actions or guarantees whose name contains it      (all of them)
  --write       writes the result into docs/reliability.md or docs/reload-measurements.md
`;

function parse(argv: readonly string[]) {
  try {
    const options = {
      seed: { type: 'string' },
      minutes: { type: 'string' },
      workers: { type: 'string' },
      only: { type: 'string', default: '' },
      chaos: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
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
    chaos: values.chaos,
    write: values.write,
    only: values.only,
  };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function soak(options: Options): Promise<boolean> {
  const { seed, minutes, workers, chaos, write } = options;
  const service = new SoakService(await freePort(), { chaos });
  const results: Results = {
    reports: [],
    problems: [],
    actions: new Map(),
    samples: [],
    failedWorkers: 0,
    held: 0,
    late: 0,
  };
  const abort = (why: string): void => {
    void service.end().then(() => {
      say(`✗ ${why} (seed ${seed})`);
      process.exit(1);
    });
  };
  const watchdog = setTimeout(() => abort('it did not end in time'), minutes * 60_000 + GRACE_MS);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => abort(`stopped by ${signal}`));
  try {
    await service.start(workers);
    say(`Soaking ${workers} workers on Node ${process.version} for ${minutes} min, seed ${seed}`);
    if (chaos && service.clock === undefined) say('libfaketime is not installed: the clock is not set');
    await perform(service, createRandom(seed), results, options);
  } catch (error) {
    results.problems.push(String((error as Error).stack));
  } finally {
    clearTimeout(watchdog);
    say(table(results));
    if (results.problems.length > 0)
      say(`${exitOf(service)}\nThe last lines of the log:\n${service.lastLines()}\n`);
    await service.end();
  }
  for (const problem of results.problems) say(`✗ ${problem}`);
  say(
    results.problems.length === 0
      ? '✓ No request was lost, except those that failed workers held'
      : `✗ ${results.problems.length} problems; --seed ${seed} chooses the same actions again`,
  );
  if (results.problems.length > 0) return false;
  if (chaos && write) await writeSection('chaos', chaosPage(results, options));
  return true;
}

async function perform(
  service: SoakService,
  random: Random,
  results: Results,
  { minutes, workers, chaos, only }: Options,
): Promise<void> {
  const begun = performance.now();
  const descriptors = service.descriptorCount();
  const client = strictClient({ port: service.port, ...LOAD });
  const sampler = startSampler(service, results, begun);
  const context = createContext(service, random, results, sampler, 2 * workers);
  const actions = [
    ...usualActions(),
    ...(chaos ? chaosActions({ clock: service.clock !== undefined }) : []),
  ].filter(({ name }) => name.includes(only));
  try {
    while (performance.now() - begun < minutes * 60_000) {
      await pause(random.between(20, 400));
      await performOne(pickAction(actions, random), context, results, client, begun);
    }
    await service.command('/scale', { instances: workers });
    await untilSettled(service);
  } finally {
    sampler.stop();
    judge(service, results, await client.stop());
  }
  checkDescriptors(service, results, descriptors);
  await endUnderLoad(service, results, 'SIGTERM');
  await service.start(workers);
  await endUnderLoad(service, results, 'SIGKILL');
}

async function performOne(
  { name, perform: act }: Action,
  context: Context,
  results: Results,
  client: StrictClient,
  begun: number,
): Promise<void> {
  const [at, lostBefore] = [performance.now(), client.lost.length];
  const what = await act(context);
  // Requests in flight still belong to this action.
  await eventually(() => client.oldestMs < performance.now() - at, 'earlier requests are answered');
  results.actions.set(name, (results.actions.get(name) ?? 0) + 1);
  const lost = client.lost.slice(lostBefore);
  for (const one of context.service.failing.judge({ lost }).unexcused)
    results.problems.push(`${name} (${what}) lost a request: ${one.kind}: ${one.what}`);
  say(progress({ name, what, at: at - begun, took: performance.now() - at, lost: lost.length, client }));
}

/** Finds leaks. The socket of each slot that ever existed stays open until the service stops. */
function checkDescriptors(service: SoakService, results: Results, atStart: number): void {
  const maxWanted = Math.max(...results.samples.map(({ wanted }) => wanted));
  const now = service.descriptorCount();
  if (now > atStart + maxWanted + 4)
    results.problems.push(`the supervisor has ${now} open descriptors, ${atStart} at the start`);
}

/** Ends the service under load: requests that a worker has accepted are answered, and no process is left. */
async function endUnderLoad(
  service: SoakService,
  results: Results,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  const { port, supervisor } = service;
  const client = strictClient({ port, ...LOAD });
  await eventually(() => client.sent > 300, 'the client sends requests');
  const stoppedAt = Date.now();
  supervisor.kill(signal);
  const { code } = await supervisor.ended;
  if (signal === 'SIGTERM' && code !== 0) results.problems.push(`SIGTERM ended the service with ${code}`);
  await eventually(() => !groupExists(supervisor.pid), 'no process is left');
  judge(service, results, await client.stop(), stoppedAt);
  const outcome = await request(port, '/health').catch((error: NodeJS.ErrnoException) => error.code);
  if (outcome !== 'ECONNREFUSED') results.problems.push(`the port is still held after ${signal}`);
}

function createContext(
  service: SoakService,
  random: Random,
  results: Results,
  { takeMinServing, withoutControl }: Sampler,
  maxWorkers: number,
): Context {
  const hung = new Set<number>();
  return {
    service,
    random,
    maxWorkers,
    takeMinServing,
    withoutControl,
    kill(pid) {
      const how = random.pick(['exit', 'SIGKILL'] as const);
      if (hung.delete(pid)) return unlessGone(() => process.kill(pid, 'SIGKILL'));
      results.failedWorkers++;
      unlessGone(() => service.failing.inject(pid, how));
    },
    breakChannel(pid, how) {
      results.failedWorkers++;
      unlessGone(() => service.failing.inject(pid, how));
    },
    async hang(pid) {
      results.failedWorkers++;
      hung.add(pid);
      unlessGone(() => service.failing.inject(pid, 'SIGSTOP'));
      await eventually(() => service.failing.hasRecorded(pid), 'the worker hangs');
    },
  };
}

/** Signals a process that may have ended just now. */
function unlessGone(kill: () => void): void {
  try {
    kill();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Sampler {
  stop(): void;
  takeMinServing(): number;
  withoutControl(act: () => Promise<void>): Promise<void>;
}

/** Records the number of serving workers at short intervals. */
function startSampler(service: SoakService, results: Results, begun: number): Sampler {
  let min = Infinity;
  let isAsking = false;
  let mayFail = false;
  const timer = setInterval(() => {
    if (isAsking || mayFail) return;
    isAsking = true;
    void service
      .status()
      .then(status => {
        const count = serving(status).length;
        min = Math.min(min, count);
        const { wanted, workers } = status;
        results.samples.push({ at: performance.now() - begun, serving: count, wanted, rows: workers.length });
      })
      .catch((error: Error) => {
        if (!mayFail) results.problems.push(`the control socket failed: ${error.message}`);
      })
      .finally(() => (isAsking = false));
  }, SAMPLE_MS);
  return {
    stop: () => clearInterval(timer),
    takeMinServing() {
      const taken = min;
      min = Infinity;
      return taken;
    },
    async withoutControl(act) {
      mayFail = true;
      await act();
      await eventually(() => !isAsking, 'the last question is answered');
      mayFail = false;
    },
  };
}

function judge(service: SoakService, results: Results, report: Report, stoppedAt = Infinity): void {
  const { held, late, unexcused } = service.failing.judge(report, { stoppedAt });
  results.reports.push(report);
  results.held += held;
  results.late += late;
  if (report.answered + report.lost.length !== report.sent)
    results.problems.push('the results do not add up to the requests sent');
  for (const { kind, what } of unexcused) {
    const problem = `a request was lost: ${kind}: ${what}`;
    if (results.problems.length < 20) results.problems.push(problem);
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

function exitOf({ supervisor: { child } }: SoakService): string {
  const how = child.signalCode ?? child.exitCode;
  return how === null ? 'The supervisor runs' : `The supervisor has ended (${how})`;
}

/** Whether a process of the service's group still runs. */
function groupExists(pid: number): boolean {
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
  if (what === 'guarantees' && others.length === 0) return checkGuarantees(values, say);
  process.stderr.write(`Unknown: ${positionals.join(' ')}\n${USAGE}`);
  return process.exit(2);
}

void main(process.argv.slice(2)).then(ok => process.exit(ok ? 0 : 1));
