/**
 * Random attacks of a worker on its channel (`attacks.ts`): after each of them the supervisor lives, the other worker
 * answers, and a worker that has been killed for it is named in the log. Once the attacker has been replaced the
 * supervisor has as many descriptors as before.
 */
import { copyFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readUsage } from '../../../src/platform/process-usage.js';
import { freePort, isAlive, killGroup, ROOT, until } from '../../support/processes.js';
import { attackOf, type Attack } from './attacks.js';
import { observe, type Observed } from './observed.js';
import { appFolder, keepAsking, PROGRAM, type Folder } from './reader.js';

/** The first worker serves, the second one attacks. */
const APP = `if (process.env.NODE_APP_INSTANCE === '0') {${PROGRAM}} else require('./rogue.cjs');`;

const APP_FILE = JSON.stringify({
  apps: [
    {
      name: 'app',
      script: './app.js',
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true,
      shutdown_with_message: true,
      kill_timeout: 1_000,
      // What Node says in an attacker is its own.
      node_args: ['--no-warnings'],
      // Every attacker is replaced at once.
      min_uptime: 100,
      max_restarts: 1_000_000,
    },
  ],
});

/** An attacker that lives is replaced after so many attacks: what it has opened by then is its own. */
export const ATTACKS_EACH = 5;

/** How long an attack may take, a flood on a busy machine. */
const ATTACK_MS = 60_000;

/** How long until what a worker had opened is closed. */
const CLOSE_MS = 3_000;

/** Lines that the supervisor may write for one attack. */
const MAX_LINES = 400;

/** What may be left in the heap of the supervisor after all attacks, in bytes: code that has run, and its counters. */
const GROWTH = 4 * 2 ** 20;

/** Loaded into the supervisor: at SIGUSR2 it collects its garbage and says what is left. */
const COLLECTOR = `if (process.send === undefined) {
  require('node:v8').setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  process.on('SIGUSR2', () => {
    collect();
    console.log(JSON.stringify({ level: 30, msg: 'heap ' + process.memoryUsage().heapUsed }));
  });
}`;

const FAULT = /^Worker (\d+) broke its channel: (.*)/;

const HEAP = /^heap (\d+)$/;

/** What else may be told at level error. */
const EXIT = /^Worker \d+ (exited \(|cannot listen: )/;

export interface ChannelFinding {
  /** Nothing where it is not about one attack. */
  readonly number?: number;
  readonly what: string;
}

export interface ChannelResult {
  readonly attacks: number;
  /** Bytes and handles that were sent, if every attack was performed to its end. */
  readonly handles: number;
  /** How often each reason was told for a failed channel. */
  readonly faults: ReadonlyMap<string, number>;
  /** Attackers that were replaced, for whatever reason. */
  readonly replaced: number;
  readonly asked: number;
  readonly descriptors: { readonly before: number; readonly after: number };
  /** What the supervisor has on its heap after a collection, in bytes. */
  readonly heap: { readonly before: number; readonly after: number };
  /** The most that the supervisor had resident, in bytes. */
  readonly most: number;
  readonly findings: readonly ChannelFinding[];
}

export interface ChannelOptions {
  readonly seed: number;
  readonly attacks: number;
  /** The number of the first. */
  readonly first?: number;
  readonly say: (line: string) => void;
}

export async function fuzzChannel({ seed, attacks, first = 0, say }: ChannelOptions): Promise<ChannelResult> {
  const scene = await createScene(await freePort());
  const { service, folder } = scene;
  const findings: ChannelFinding[] = [];
  const before = scene.descriptors().length;
  const heap = { before: await scene.heap(), after: 0 };
  let most = 0;
  const clients = keepAsking(service.port);
  let asked = 0;
  let after = before;
  try {
    for (let at = 0; at < attacks; at++) {
      const attack = attackOf(seed, first + at);
      const isLast = at % ATTACKS_EACH === ATTACKS_EACH - 1 || at === attacks - 1;
      const what = await outcome(scene, attack, isLast);
      findings.push(...what.map(text => ({ number: attack.number, what: text })));
      most = Math.max(most, readUsage(service.pid)?.rss ?? 0);
      if (at % 100 === 99) say(`${at + 1} of ${attacks} attacks, ${findings.length} findings`);
      if (findings.length > 20 || !isAlive(service.pid)) break;
    }
    after = scene.descriptors().length;
    if (isAlive(service.pid)) heap.after = await scene.heap();
    if (heap.after > heap.before + GROWTH)
      findings.push({ what: `the heap of the supervisor grew from ${heap.before} to ${heap.after} bytes` });
  } finally {
    const ended = await clients.end();
    asked = ended.asked;
    if (ended.failed.length > 0)
      findings.push({ what: `${ended.failed.length} of ${asked} requests failed: ${ended.failed[0]}` });
    const code = await service.stop();
    if (code !== 0) findings.push({ what: `the service ended with ${code}` });
    killGroup(service.pid);
    folder.remove();
  }
  for (const line of service.complaints)
    if (!isExpected(line)) findings.push({ what: `the log has ${line.slice(0, 1_000)}` });
  return {
    attacks,
    handles: Array.from({ length: attacks }, (_, at) => handlesOf(attackOf(seed, first + at))).reduce(
      (a, b) => a + b,
      0,
    ),
    faults: faultsIn(service.complaints),
    replaced: scene.replaced(),
    asked,
    descriptors: { before, after },
    heap,
    most,
    findings,
  };
}

const messageOf = (line: string): string => {
  try {
    return String((JSON.parse(line) as { msg?: unknown }).msg);
  } catch {
    return '';
  }
};

const isExpected = (line: string): boolean => FAULT.test(messageOf(line)) || EXIT.test(messageOf(line));

function faultsIn(lines: readonly string[]): ReadonlyMap<string, number> {
  const faults = new Map<string, number>();
  for (const line of lines) {
    const reason = FAULT.exec(messageOf(line))?.[2];
    // Texts of a parser quote what they could not read.
    const kind =
      reason?.includes('JSON') === true ? 'no JSON' : reason?.replace(/descriptor \d+/, 'a descriptor');
    if (kind !== undefined) faults.set(kind, (faults.get(kind) ?? 0) + 1);
  }
  return faults;
}

const handlesOf = ({ steps }: Attack): number =>
  steps.reduce(
    (sum, step) => sum + ('handle' in step && step.handle ? ('times' in step ? step.times : 1) : 0),
    0,
  );

interface Scene {
  readonly service: Observed;
  readonly folder: Folder;
  readonly honest: number;
  /** The pid of the attacker that serves, once it is another one than this. */
  attacker(former?: number): Promise<number>;
  replaced(): number;
  /** What each descriptor of the supervisor is. */
  descriptors(): readonly string[];
  /** @returns what stays open beyond what was open at the start, or at the last call */
  leftOpen(): Promise<readonly string[]>;
  /** What the supervisor has on its heap, its garbage collected. */
  heap(): Promise<number>;
}

/** @param port at which the first attacker listens: a successor that asks for another one closes that */
async function createScene(port: number): Promise<Scene> {
  const folder = appFolder(APP);
  copyFileSync(join(ROOT, 'tests', 'hardening', 'fuzz', 'rogue.cjs'), join(folder.path, 'rogue.cjs'));
  const file = join(folder.path, 'app.json');
  writeFileSync(file, APP_FILE);
  const collector = join(folder.path, 'collector.cjs');
  writeFileSync(collector, COLLECTOR);
  const service = await observe({
    args: ['--config', file],
    env: { WEB_CONCURRENCY: '', NODE_OPTIONS: `--require ${collector}` },
  });
  const pids = new Set<number>();
  const [honest = NaN] = await service.workers();
  const attacker = async (former = NaN): Promise<number> => {
    let found = NaN;
    await until(async () => {
      const { workers } = await service.status();
      found = workers.find(({ slot, state }) => slot === 1 && state === 'ready')?.pid ?? NaN;
      return !Number.isNaN(found) && found !== former;
    }, 'the attacker is ready');
    pids.add(found);
    return found;
  };
  const wanted = `${JSON.stringify({ type: 'cabe:listener.wanted', port, host: '127.0.0.1' })}\n`;
  const steps = [{ do: 'write', text: wanted, times: 1 }] as const;
  await perform(service, folder, { number: -1, steps }, await attacker());
  // Its last request for the status is closed.
  await new Promise(resolve => setTimeout(resolve, 500));
  const descriptors = (): readonly string[] => descriptorsOf(service.pid);
  let known = descriptors();
  let open = known.length;
  return {
    service,
    folder,
    honest,
    attacker,
    replaced: () => pids.size - 1,
    descriptors,
    async leftOpen() {
      const isClosed = (): boolean => descriptors().length <= open;
      const isLate = await until(isClosed, 'everything is closed', CLOSE_MS).then(
        () => false,
        () => true,
      );
      if (!isLate) return [];
      const now = descriptors();
      const more = now.filter(descriptor => !known.includes(descriptor));
      open = now.length;
      known = now;
      return [`descriptors stay open: ${more.join(' ')}`];
    },
    async heap() {
      const said = (): readonly string[] =>
        service.said.flatMap(line => HEAP.exec(messageOf(line))?.[1] ?? []);
      const before = said().length;
      process.kill(service.pid, 'SIGUSR2');
      await until(() => said().length > before, 'the supervisor says what its heap holds');
      return Number(said().at(-1));
    },
  };
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return [];
  }
}

/** Resolves once all of it has been sent, or its worker has ended. */
async function perform(service: Observed, folder: Folder, attack: Attack, attacker: number): Promise<void> {
  writeFileSync(join(folder.path, 'attack.json'), JSON.stringify(attack));
  signal(attacker, 'SIGUSR2');
  const isDone = (): boolean =>
    !isAlive(attacker) || service.said.some(line => messageOf(line) === `attack ${attack.number} done`);
  await until(isDone, `attack ${attack.number} is over`, ATTACK_MS);
}

/** @returns what is wrong after it */
async function outcome(scene: Scene, attack: Attack, isLast: boolean): Promise<readonly string[]> {
  const { service, folder } = scene;
  const { steps } = attack;
  const lines = service.lines();
  // What the one before has sent may end its worker late.
  let attacker = await scene.attacker();
  while (!isAlive(attacker)) attacker = await scene.attacker(attacker);
  await perform(service, folder, attack, attacker);
  try {
    // The second answer comes after everything that had been written before the first request.
    for (let look = 0; look < 2; look++) await service.status();
  } catch (error) {
    return [`no status after it: ${(error as Error).message}`];
  }
  const told = (): number =>
    service.said.filter(line => FAULT.exec(messageOf(line))?.[1] === String(attacker)).length;
  if (told() > 0) await until(() => !isAlive(attacker), 'the attacker has ended', CLOSE_MS);
  const findings: string[] = [];
  const mayEnd = steps.some(step => step.do === 'end' || step.do === 'disconnect');
  if (!isAlive(attacker) && !mayEnd) {
    // The line may come after the answers.
    const isNamed = await until(() => told() > 0, 'it is named', CLOSE_MS).then(
      () => true,
      () => false,
    );
    if (!isNamed) findings.push('its worker has ended without a reason in the log');
  }
  if (told() > 1) findings.push(`its worker is named ${told()} times`);
  if (isLast || mayEnd || !isAlive(attacker)) findings.push(...(await afterReplacement(scene, attacker)));
  const count = service.lines() - lines;
  if (count > MAX_LINES) findings.push(`${count} lines were logged`);
  return findings;
}

async function afterReplacement(scene: Scene, attacker: number): Promise<readonly string[]> {
  const { service, honest } = scene;
  const findings: string[] = [];
  signal(attacker, 'SIGKILL');
  await until(() => !isAlive(attacker), 'the attacker has ended', CLOSE_MS);
  await scene.attacker(attacker);
  const { workers } = await service.status();
  if (!workers.some(({ pid, state }) => pid === honest && state === 'ready'))
    findings.push('the other worker has been replaced');
  findings.push(...(await scene.leftOpen()));
  return findings;
}

/** @returns false if the process has ended */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return isAlive(pid) && process.kill(pid, name);
  } catch {
    return false; // it has ended in between
  }
}
