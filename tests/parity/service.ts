/** A service under test: its folder, its app file, its port, its journal, and the supervisor that runs it. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_FILE, freePort, request, until, type Answer } from '../support/processes.js';
import type { AppPlace, Driver, DriverName } from './drivers/driver.js';
import { nativeDriver } from './drivers/native.js';
import { pm2Driver } from './drivers/pm2.js';
import { commandOf, isFree, MARK, remainsOf } from './remains.js';
import type { Scenario } from './scenario.js';

/** A request that hangs for so long is lost: an old worker may die with a connection that it was just handed. */
const ANSWER_MS = 5_000;

const APPS = join(__dirname, 'apps');

/** A line of the journal that the workers of `apps/` keep. */
export interface Entry {
  readonly at: number;
  readonly pid: number;
  readonly what: string;
}

export interface Service extends Omit<Driver, 'beside' | 'end' | 'traces'> {
  readonly folder: string;
  readonly port: number;
  /** Writes the app file anew with these fields over the scenario's. */
  describe(fields: Readonly<Record<string, unknown>>): void;
  /** Puts a file beside the workers. */
  put(name: string, content: string): void;
  remove(name: string): void;
  journal(what?: RegExp): readonly Entry[];
  get(path: string): Promise<Answer>;
  /** The pids of the workers that serve, once they are so many. */
  serving(count: number): Promise<number[]>;
  /** Resolves once a request is answered. */
  answers(): Promise<void>;
  /** Starts and waits until so many workers serve. */
  started(count: number): Promise<number[]>;
  /** Another service of the same user, with the same port. */
  beside(fields: Readonly<Record<string, unknown>>): Service;
}

const FACTORIES = { pm2: pm2Driver, native: nativeDriver };

/** What every app file of a scenario says unless it says otherwise. */
const FIELDS = { exec_mode: 'cluster', instances: 2, wait_ready: true, merge_logs: true, pmx: false };

/** All that one play needs. */
export interface Stage {
  readonly service: Service;
  /** Ends everything, once, by force if need be; resolves with what is not as it was before: nothing must be. */
  clear(): Promise<readonly string[]>;
}

/** Makes the folder, the app file and the driver of one play. */
export async function stage(scenario: Scenario, driverName: DriverName): Promise<Stage> {
  const port = await freePort();
  const folders: string[] = [];
  const known = new Set<number>();
  const place = (name: string): AppPlace => {
    const folder = mkdtempSync(join(tmpdir(), 'cabe-parity-'));
    folders.push(folder);
    cpSync(APPS, folder, { recursive: true });
    const [mark = ''] = folders;
    const env = { PORT: String(port), NO_COLOR: '1', [MARK]: mark, ...scenario.shell };
    return { folder, file: join(folder, 'ecosystem.config.js'), name, env };
  };
  const first = place('parity-app');
  let isOver = false;
  const driver = watched(FACTORIES[driverName](first), known, () => isOver);
  const service = serviceOf({ scenario, driver, place: first, port, fields: {}, another: place });
  const remains = (): number[] => remainsOf(first.folder, known);

  async function clear(): Promise<readonly string[]> {
    isOver = true;
    const problems: string[] = [];
    await driver.end().catch((error: Error) => problems.push(error.message));
    for (const folder of folders) for (const { pid } of journalOf(folder)) known.add(pid);
    const left = remains();
    if (left.length > 0) problems.push(`left behind: ${left.map(commandOf).join(', ')}`);
    // Whoever dies may have been about to start another one.
    await until(() => {
      const living = remains();
      for (const pid of living) killQuietly(pid);
      return living.length === 0;
    }, 'what was left behind is dead').catch((error: Error) => problems.push(error.message));
    const traces = driver.traces();
    for (const path of [...traces, ...folders]) rmSync(path, { recursive: true, force: true });
    if (traces.length > 0) problems.push(`left behind: ${traces.join(', ')}`);
    if (!(await isFree(port))) problems.push(`left behind: somebody on port ${port}`);
    return problems;
  }

  let cleared: ReturnType<Stage['clear']> | undefined;
  return { service, clear: () => (cleared ??= clear()) };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended in this very moment
  }
}

/** The same driver: it remembers every process that it has listed, and starts nothing more once the play is over. */
function watched(driver: Driver, known: Set<number>, isOver: () => boolean): Driver {
  const during =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isOver()) throw new Error('the play is over');
      return act(...args);
    };
  return {
    ...driver,
    start: during(driver.start),
    stop: during(driver.stop),
    reload: during(driver.reload),
    scale: during(driver.scale),
    workers: during(async () => {
      const listed = await driver.workers();
      for (const { pid } of listed) if (pid !== null) known.add(pid);
      return listed;
    }),
    beside: place => watched(driver.beside(place), known, isOver),
  };
}

interface Parts {
  readonly scenario: Scenario;
  readonly driver: Driver;
  readonly place: AppPlace;
  readonly port: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly another: (name: string) => AppPlace;
}

function serviceOf({ scenario, driver, place, port, fields, another }: Parts): Service {
  const { folder } = place;
  const describe = (more: Readonly<Record<string, unknown>>): void =>
    writeFileSync(place.file, appFile(scenario, place, { ...fields, ...more }));
  describe({});

  const serving = async (count: number): Promise<number[]> => {
    let pids: number[] = [];
    await until(async () => {
      const listed = await driver.workers();
      pids = listed.flatMap(({ pid, state }) => (state === 'serving' && pid !== null ? [pid] : []));
      return pids.length === count && listed.every(({ state }) => state !== 'leaving');
    }, `${count} workers serve`);
    return pids;
  };
  const answers = (): Promise<void> =>
    until(
      () =>
        request(port, '/', { signal: AbortSignal.timeout(ANSWER_MS) }).then(
          () => true,
          () => false,
        ),
      'a request is answered',
    );

  return {
    ...driver,
    folder,
    port,
    describe,
    put: (name, content) => writeFileSync(join(folder, name), content),
    remove: name => rmSync(join(folder, name)),
    journal: (what = /./) => journalOf(folder).filter(entry => what.test(entry.what)),
    get: path => request(port, path, { signal: AbortSignal.timeout(ANSWER_MS) }),
    serving,
    answers,
    async started(count) {
      const { ok, text } = await driver.start();
      if (!ok) throw new Error(`not started: ${text}`);
      const pids = await serving(count);
      await answers();
      return pids;
    },
    beside(more) {
      const next = another('parity-neighbour');
      return serviceOf({
        scenario,
        driver: driver.beside(next),
        place: next,
        port,
        fields: { ...fields, ...more },
        another,
      });
    },
  };
}

function appFile({ app, program = 'worker.js' }: Scenario, place: AppPlace, fields: object): string {
  const { name, folder } = place;
  if (program === 'cabe-arena-api') {
    const over = JSON.stringify({ ...app, ...fields, name });
    return `module.exports = { apps: [{ ...require(${JSON.stringify(APP_FILE)}).apps[0], ...${over} }] };\n`;
  }
  const entry = { ...FIELDS, script: `./${program}`, cwd: folder, ...app, ...fields, name };
  // A worker whose environment is filtered is to be found as well.
  const env = { [MARK]: place.env[MARK], ...(entry as { env?: object }).env };
  return `module.exports = { apps: [${JSON.stringify({ ...entry, env })}] };\n`;
}

function journalOf(folder: string): Entry[] {
  const path = join(folder, 'journal');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap(line => {
      const [, at, pid, what] = /^(\d+) (\d+) (.+)$/.exec(line) ?? [];
      return what === undefined ? [] : [{ at: Number(at), pid: Number(pid), what }];
    });
}
