/** Everything that can happen to a service. Each action says what must hold afterwards, and what it may cost. */
import type { Status, WorkerStatus } from '../../src/supervisor/report/status.js';
import { isAlive, until } from '../support/processes.js';
import type { Random } from './random.js';
import { BROKEN, type Site } from './site.js';

/** What an action works with. */
export interface Stage {
  readonly site: Site;
  readonly random: Random;
  readonly mostWorkers: number;
  /** Kills a worker, or lets it exit; whatever it holds is excused. */
  kill(pid: number): void;
  /** Stops a worker that somebody will kill: what it holds is excused as well. */
  hang(pid: number): Promise<void>;
  /** The fewest workers that have served since the last call. */
  leastServing(): number;
}

/** Something that did not turn out as it must; the soak fails by it. */
export class Broken extends Error {}

export interface Action {
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** @returns what was done, in a few words. @throws Broken */
  perform(stage: Stage): Promise<string>;
}

export const serving = ({ workers }: Status): WorkerStatus[] =>
  workers.filter(({ state, pid }) => state === 'ready' && pid !== null);

const pids = (status: Status): number[] => serving(status).flatMap(({ pid }) => pid ?? []);

/** As `until`, with the patience that a machine needs on which everything happens at once. */
export const eventually = (holds: () => boolean | Promise<boolean>, what: string): Promise<void> =>
  until(holds, what, 60_000);

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Broken(otherwise);
}

/** Resolves when every wanted worker serves, and none is on its way. */
export async function settled(site: Site): Promise<Status> {
  let status = await site.status();
  await eventually(
    async () => {
      status = await site.status();
      const { state, wanted, workers } = status;
      return state === 'ready' && workers.length === wanted && serving(status).length === wanted;
    },
    `the service has settled; it is ${JSON.stringify(status)}`,
  ).catch((error: Error) => {
    throw new Broken(error.message);
  });
  return status;
}

/** As {@link settled}, once the supervisor knows that these are gone. */
async function replaced(site: Site, gone: readonly number[]): Promise<Status> {
  const known = async (): Promise<boolean> =>
    (await site.status()).workers.some(({ pid }) => pid !== null && gone.includes(pid));
  await eventually(async () => !(await known()), `the supervisor knows that ${gone.join(', ')} are gone`);
  return settled(site);
}

async function reloadWell(stage: Stage, why: string): Promise<void> {
  const { site } = stage;
  const before = await settled(site);
  stage.leastServing();
  const { ok, reason } = await site.order('/reload');
  must(ok, `${why}: the reload failed: ${reason}`);
  const least = stage.leastServing();
  must(least >= before.wanted, `${why}: only ${least} of ${before.wanted} workers served during the reload`);
  const after = await settled(site);
  const kept = pids(before).filter(pid => pids(after).includes(pid));
  must(kept.length === 0, `${why}: the reload kept ${kept.join(', ')}`);
}

/** A reload that must fail, and change nothing. */
async function reloadBadly(stage: Stage, why: string): Promise<string> {
  const { site } = stage;
  const before = await settled(site);
  stage.leastServing();
  const { ok, reason } = await site.order('/reload');
  must(!ok, `${why}: the reload succeeded`);
  must(stage.leastServing() >= before.wanted, `${why}: fewer workers served`);
  const after = await settled(site);
  must(
    String(pids(after)) === String(pids(before)) && after.generation === before.generation,
    `${why}: the failed reload has changed the service`,
  );
  return reason ?? '';
}

async function victimOf({ site, random }: Stage): Promise<number> {
  return random.pick(pids(await site.status()));
}

const reload: Action = {
  name: 'reload',
  weight: 4,
  async perform(stage) {
    await reloadWell(stage, 'reload');
    return '';
  },
};

const hangUps: Action = {
  name: 'SIGHUPs',
  weight: 1,
  async perform({ site, random }) {
    const { generation } = await settled(site);
    const times = random.between(1, 4);
    for (let n = 0; n < times; n++) {
      site.supervisor.kill('SIGHUP');
      await pause(random.between(0, 200));
    }
    await eventually(async () => (await site.status()).generation > generation, 'a new generation serves');
    const after = await settled(site);
    must(
      after.generation - generation <= times,
      `${times} SIGHUPs were ${after.generation - generation} reloads`,
    );
    return `${times}, ${after.generation - generation} reloads`;
  },
};

const watch: Action = {
  name: 'watch',
  weight: 1,
  async perform({ site }) {
    const { generation } = await settled(site);
    site.touch();
    await eventually(async () => (await site.status()).generation > generation, 'the change is rolled out');
    await settled(site);
    return '';
  },
};

/** It costs nothing: a worker that meets an exception drains. */
const throws: Action = {
  name: 'exception',
  weight: 1,
  async perform(stage) {
    await settled(stage.site);
    const pid = await victimOf(stage);
    stage.site.stunts.fall(pid, 'throw');
    await replaced(stage.site, [pid]);
    await eventually(() => !isAlive(pid), 'it has left');
    return '';
  },
};

const scale: Action = {
  name: 'scale',
  weight: 4,
  async perform({ site, random, mostWorkers }) {
    const { wanted } = await settled(site);
    const instances = random.between(1, mostWorkers);
    const { ok, reason } = await site.order('/scale', { instances });
    must(ok, `scaling to ${instances} failed: ${reason}`);
    must((await settled(site)).wanted === instances, `scaling to ${instances} did not last`);
    return `${wanted} to ${instances}`;
  },
};

const scaleDuringReload: Action = {
  name: 'scale during a reload',
  weight: 1,
  async perform({ site, random, mostWorkers }) {
    const { wanted } = await settled(site);
    const instances = random.between(1, mostWorkers);
    const reloading = site.order('/reload');
    await pause(random.between(0, 800));
    const [reloaded, scaled] = await Promise.all([reloading, site.order('/scale', { instances })]);
    must(reloaded.ok && scaled.ok, `reload: ${reloaded.reason}, scale: ${scaled.reason}`);
    must((await settled(site)).wanted === instances, `scaling to ${instances} did not last`);
    return `${wanted} to ${instances}`;
  },
};

const killSome: Action = {
  name: 'SIGKILL',
  weight: 4,
  async perform(stage) {
    const { site, random } = stage;
    const all = pids(await settled(site));
    const first = random.between(0, all.length - 1);
    const number = random.chance(0.2) ? all.length : random.between(1, Math.ceil(all.length / 2));
    const victims = [...all.slice(first), ...all.slice(0, first)].slice(0, number);
    for (const pid of victims) {
      stage.kill(pid);
      if (random.chance(0.5)) await pause(random.between(0, 150));
    }
    await replaced(site, victims);
    return `${victims.length} of ${all.length}`;
  },
};

const killDuringReload: Action = {
  name: 'SIGKILL during a reload',
  weight: 2,
  async perform(stage) {
    const { site, random } = stage;
    await settled(site);
    const reloading = site.order('/reload');
    await pause(random.between(0, 2_000));
    const pid = await victimOf(stage);
    stage.kill(pid);
    const { ok, reason } = await reloading;
    await replaced(site, [pid]);
    return ok ? 'finished' : `aborted: ${reason}`;
  },
};

const hangThenKill: Action = {
  name: 'hang, then SIGKILL',
  weight: 2,
  async perform(stage) {
    const pid = await victimOf(stage);
    const ms = stage.random.between(200, 1_500);
    await stage.hang(pid);
    await pause(ms);
    stage.kill(pid);
    await replaced(stage.site, [pid]);
    return `${ms} ms`;
  },
};

const hangThenWake: Action = {
  name: 'hang, then wake',
  weight: 1,
  async perform({ site, random }) {
    const pid = random.pick(pids(await settled(site)));
    const ms = random.between(200, 1_500);
    process.kill(pid, 'SIGSTOP');
    await pause(ms);
    process.kill(pid, 'SIGCONT');
    must(pids(await settled(site)).includes(pid), 'a worker that only paused has been replaced');
    return `${ms} ms`;
  },
};

const hangThenReload: Action = {
  name: 'hang, then reload',
  weight: 1,
  async perform(stage) {
    await settled(stage.site);
    const pid = await victimOf(stage);
    await stage.hang(pid);
    const { ok, reason } = await stage.site.order('/reload');
    must(ok, `a hung worker made the reload fail: ${reason}`);
    must(!isAlive(pid), 'the hung worker has survived the reload');
    await settled(stage.site);
    return 'killed at kill_timeout';
  },
};

const suspend: Action = {
  name: 'supervisor suspended',
  weight: 1,
  async perform({ site, random }) {
    const before = pids(await settled(site));
    const ms = random.between(300, 2_000);
    site.supervisor.kill('SIGSTOP');
    await pause(ms);
    site.supervisor.kill('SIGCONT');
    must(String(pids(await settled(site))) === String(before), 'its workers have changed');
    return `${ms} ms`;
  },
};

/** No slot is recycled twice within a minute: when which was, by its slot. */
const RECYCLE_PAUSE_MS = 65_000;

function memory(): Action {
  const recycledAt = new Map<number | null, number>();
  return {
    name: 'memory grows over its limit',
    weight: 2,
    async perform(stage) {
      const { site, random } = stage;
      const status = await settled(site);
      const able = serving(status).filter(
        ({ slot }) => performance.now() - (recycledAt.get(slot) ?? -Infinity) > RECYCLE_PAUSE_MS,
      );
      if (able.length === 0) return 'not now';
      const { slot, pid } = random.pick(able);
      recycledAt.set(slot, performance.now());
      stage.leastServing();
      site.stunts.fall(pid ?? NaN, 'grow');
      await eventually(() => !isAlive(pid ?? NaN), 'the grown worker has been replaced');
      must(stage.leastServing() >= status.wanted, 'fewer workers served meanwhile');
      await settled(site);
      return `slot ${slot}`;
    },
  };
}

const slowBoot: Action = {
  name: 'slow boots',
  weight: 1,
  async perform(stage) {
    const { site, random } = stage;
    site.deploy('boots slowly');
    try {
      if (random.chance(0.5)) {
        await reloadWell(stage, 'slow boots');
        return 'reloaded';
      }
      const pid = await victimOf(stage);
      stage.kill(pid);
      await replaced(site, [pid]);
      return 'after a SIGKILL';
    } finally {
      site.deploy('healthy');
    }
  },
};

const brokenBuild: Action = {
  name: 'broken build',
  weight: 2,
  async perform(stage) {
    const { site, random } = stage;
    const build = random.pick(BROKEN);
    await settled(site);
    site.deploy(build);
    try {
      return `${build}: ${await reloadBadly(stage, `a build that ${build}`)}`;
    } finally {
      site.deploy('healthy');
    }
  },
};

const brokenAppFile: Action = {
  name: 'broken app file',
  weight: 1,
  async perform(stage) {
    stage.site.writeAppFile(false);
    try {
      await reloadBadly(stage, 'an app file that does not parse');
      return '';
    } finally {
      stage.site.writeAppFile(true);
    }
  },
};

export const allActions = (): readonly Action[] => [
  reload,
  hangUps,
  watch,
  throws,
  scale,
  scaleDuringReload,
  killSome,
  killDuringReload,
  hangThenKill,
  hangThenWake,
  hangThenReload,
  suspend,
  memory(),
  slowBoot,
  brokenBuild,
  brokenAppFile,
];

/** Each as often as its weight says. */
export function choose(actions: readonly Action[], random: Random): Action {
  return random.pick(actions.flatMap(action => Array.from({ length: action.weight }, () => action)));
}
