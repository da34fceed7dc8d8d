/** The service of a scenario: its folder, app file, port and journal, and the supervisor that runs it. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_FILE, freePort, request, until, type Answer } from '../support/processes.js';
import type { AppLocation, Driver, DriverName } from './drivers/driver.js';
import { nativeDriver } from './drivers/native.js';
import { pm2Driver } from './drivers/pm2.js';
import { describeProcess, isFree, processesOf, RUN_ID } from './leftovers.js';
import type { Scenario } from './scenario.js';

/** A request that takes longer is lost: a worker may die with a connection that it was just handed. */
const ANSWER_MS = 5_000;

const APPS = join(__dirname, 'apps');

/** A line of the journal that the workers of `apps/` write. */
export interface Entry {
  readonly at: number;
  readonly pid: number;
  readonly event: string;
}

export interface Service extends Omit<Driver, 'createSecond' | 'end' | 'leftoverFiles'> {
  readonly folder: string;
  readonly port: number;
  /** Writes the app file with these fields over those of the scenario. */
  writeAppFile(fields: Readonly<Record<string, unknown>>): void;
  /** Writes a file into the folder of the workers. */
  writeFile(name: string, content: string): void;
  /** The entries of all workers, optionally those whose event matches. */
  journal(event?: RegExp): readonly Entry[];
  get(path: string): Promise<Answer>;
  /** Waits until exactly this many workers serve. @returns their pids */
  servingPids(count: number): Promise<number[]>;
  /** Whether a request is answered now. */
  isAnswering(): Promise<boolean>;
  /** Resolves once a request is answered. */
  untilAnswering(): Promise<void>;
  /** Starts, and waits until this many workers serve and a request is answered. @returns their pids */
  startAndServe(count: number): Promise<number[]>;
  /** Another service of the same user, on the same port. */
  secondService(fields: Readonly<Record<string, unknown>>): Service;
}

const FACTORIES = { pm2: pm2Driver, native: nativeDriver };

/** Fields of every app file unless the scenario overrides them. */
const DEFAULTS = { exec_mode: 'cluster', instances: 2, wait_ready: true, merge_logs: true, pmx: false };

/** A service, and how to remove every trace of it. */
export interface Context {
  readonly service: Service;
  /** Ends everything, by force if necessary. @returns what the supervisor left behind */
  cleanUp(): Promise<readonly string[]>;
}

/** Creates folder, app file and driver of one run. */
export async function createContext(scenario: Scenario, driverName: DriverName): Promise<Context> {
  const port = await freePort();
  const folders: string[] = [];
  const known = new Set<number>();
  const createLocation = (name: string): AppLocation => {
    const folder = mkdtempSync(join(tmpdir(), 'cabe-parity-'));
    folders.push(folder);
    cpSync(APPS, folder, { recursive: true });
    const [run = ''] = folders;
    const env = { PORT: String(port), NO_COLOR: '1', [RUN_ID]: run, ...scenario.shell };
    return { folder, file: join(folder, scenario.file?.name ?? 'ecosystem.config.js'), name, env };
  };
  const location = createLocation('parity-app');
  let isOver = false;
  const driver = guarded(FACTORIES[driverName](location), known, () => isOver);
  const service = createService({ scenario, driver, location, port, fields: {}, createLocation });

  async function cleanUp(): Promise<readonly string[]> {
    isOver = true;
    const problems: string[] = [];
    await driver.end().catch((error: Error) => problems.push(error.message));
    for (const folder of folders) for (const { pid } of journalOf(folder)) known.add(pid);
    problems.push(...(await killLeftovers(location.folder, known)));
    const files = driver.leftoverFiles();
    for (const path of [...files, ...folders]) rmSync(path, { recursive: true, force: true });
    if (files.length > 0) problems.push(`left behind: ${files.join(', ')}`);
    if (!(await isFree(port))) problems.push(`left behind: a process that listens on port ${port}`);
    return problems;
  }

  let cleaned: ReturnType<Context['cleanUp']> | undefined;
  return { service, cleanUp: () => (cleaned ??= cleanUp()) };
}

/** Kills what is left of a run. @returns the processes that were left, and those that cannot be killed */
async function killLeftovers(run: string, known: Iterable<number>): Promise<string[]> {
  const left = processesOf(run, known);
  const problems = left.length > 0 ? [`left behind: ${left.map(describeProcess).join(', ')}`] : [];
  // Repeated, because a process may fork another one just before it dies.
  await until(() => {
    const living = processesOf(run, known);
    for (const pid of living) killQuietly(pid);
    return living.length === 0;
  }, 'what was left behind is dead').catch((error: Error) => problems.push(error.message));
  return problems;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}

/** The driver, but it records every pid that it lists, and refuses commands once the run is over. */
function guarded(driver: Driver, known: Set<number>, isOver: () => boolean): Driver {
  const whileRunning =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isOver()) throw new Error('the run is over');
      return act(...args);
    };
  return {
    ...driver,
    start: whileRunning(driver.start),
    stop: whileRunning(driver.stop),
    reload: whileRunning(driver.reload),
    scale: whileRunning(driver.scale),
    workers: whileRunning(async () => {
      const listed = await driver.workers();
      for (const { pid } of listed) if (pid !== null) known.add(pid);
      return listed;
    }),
    createSecond: app => guarded(driver.createSecond(app), known, isOver),
  };
}

interface Parts {
  readonly scenario: Scenario;
  readonly driver: Driver;
  readonly location: AppLocation;
  readonly port: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createLocation: (name: string) => AppLocation;
}

function createService({ scenario, driver, location, port, fields, createLocation }: Parts): Service {
  const { folder } = location;
  const writeAppFile = (more: Readonly<Record<string, unknown>>): void =>
    writeFileSync(location.file, appFile(scenario, location, { ...fields, ...more }));
  writeAppFile({});

  const servingPids = async (count: number): Promise<number[]> => {
    let pids: number[] = [];
    await until(async () => {
      const listed = await driver.workers();
      pids = listed.flatMap(({ pid, state }) => (state === 'serving' && pid !== null ? [pid] : []));
      return pids.length === count && listed.every(({ state }) => state !== 'draining');
    }, `${count} workers serve`);
    return pids;
  };
  const get = (path: string): Promise<Answer> =>
    request(port, path, { signal: AbortSignal.timeout(ANSWER_MS) });
  const isAnswering = (): Promise<boolean> =>
    get('/').then(
      () => true,
      () => false,
    );
  const untilAnswering = (): Promise<void> => until(isAnswering, 'a request is answered');

  return {
    ...driver,
    folder,
    port,
    writeAppFile,
    writeFile: (name, content) => writeFileSync(join(folder, name), content),
    journal: (event = /./) => journalOf(folder).filter(entry => event.test(entry.event)),
    get,
    servingPids,
    isAnswering,
    untilAnswering,
    async startAndServe(count) {
      const { ok, text } = await driver.start();
      if (!ok) throw new Error(`not started: ${text}`);
      const pids = await servingPids(count);
      await untilAnswering();
      return pids;
    },
    secondService(more) {
      const second = createLocation('parity-second-app');
      return createService({
        scenario,
        driver: driver.createSecond(second),
        location: second,
        port,
        fields: { ...fields, ...more },
        createLocation,
      });
    },
  };
}

const asModule = (content: object): string => `module.exports = ${JSON.stringify(content)};\n`;

function appFile(
  { app, file, program = 'worker.js' }: Scenario,
  location: AppLocation,
  fields: object,
): string {
  const { name, folder } = location;
  if (program === 'cabe-arena-api') {
    const over = JSON.stringify({ ...app, ...fields, name });
    return `module.exports = { apps: [{ ...require(${JSON.stringify(APP_FILE)}).apps[0], ...${over} }] };\n`;
  }
  const entry = { ...DEFAULTS, script: `./${program}`, cwd: folder, ...app, ...fields, name };
  // Also in the app file: `filter_env` may remove it from the worker's environment.
  const env = { [RUN_ID]: location.env[RUN_ID], ...(entry as { env?: object }).env };
  return (file?.textOf ?? asModule)({ apps: [{ ...entry, env }] });
}

function journalOf(folder: string): Entry[] {
  const path = join(folder, 'journal');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap(line => {
      const [, at, pid, event] = /^(\d+) (\d+) (.+)$/.exec(line) ?? [];
      return event === undefined ? [] : [{ at: Number(at), pid: Number(pid), event }];
    });
}
