/** A service under test: its folder, its app file, its port, its journal, and the supervisor that runs it. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_FILE, freePort, isAlive, request, until, type Answer } from '../support/processes.js';
import type { AppPlace, Driver, DriverName } from './drivers/driver.js';
import { nativeDriver } from './drivers/native.js';
import { pm2Driver } from './drivers/pm2.js';
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

export interface Service extends Omit<Driver, 'beside' | 'end'> {
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
  /** Ends everything; resolves with the processes that were left behind, which there must not be. */
  clear(): Promise<readonly number[]>;
}

/** Makes the folder, the app file and the driver of one play. */
export async function stage(scenario: Scenario, driverName: DriverName): Promise<Stage> {
  const port = await freePort();
  const env = { PORT: String(port), NO_COLOR: '1', ...scenario.shell };
  const folders: string[] = [];
  const place = (name: string): AppPlace => {
    const folder = mkdtempSync(join(tmpdir(), 'cabe-parity-'));
    folders.push(folder);
    cpSync(APPS, folder, { recursive: true });
    return { folder, file: join(folder, 'ecosystem.config.js'), name, env };
  };
  const first = place('parity-app');
  const driver = FACTORIES[driverName](first);
  const service = serviceOf({ scenario, driver, place: first, port, fields: {}, another: place });
  return {
    service,
    async clear() {
      const pids = folders.flatMap(folder => journalOf(folder).map(({ pid }) => pid));
      try {
        await driver.end();
        const left = [...new Set(pids)].filter(isAlive);
        for (const pid of left) process.kill(pid, 'SIGKILL');
        return left;
      } finally {
        for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      }
    },
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
  return `module.exports = { apps: [${JSON.stringify(entry)}] };\n`;
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
