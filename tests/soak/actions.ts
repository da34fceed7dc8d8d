/** The actions of a soak. Each performs something on the service and checks what must hold afterwards. */
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive } from '../support/processes.js';
import {
  assert,
  eventually,
  pickWorker,
  pids,
  reloadInVain,
  reloadSuccessfully,
  serving,
  untilReplaced,
  untilSettled,
  type Action,
} from './checks.js';
import type { Random } from './random.js';
import { BROKEN, type AppFile } from './service.js';

const reload: Action = {
  name: 'reload',
  weight: 4,
  async perform(context) {
    await reloadSuccessfully(context, 'reload');
    return '';
  },
};

const hangUps: Action = {
  name: 'SIGHUPs',
  weight: 1,
  async perform({ service, random }) {
    const { generation } = await untilSettled(service);
    const times = random.between(1, 4);
    for (let n = 0; n < times; n++) {
      service.supervisor.kill('SIGHUP');
      await pause(random.between(0, 200));
    }
    await eventually(async () => (await service.status()).generation > generation, 'a new generation serves');
    const after = await untilSettled(service);
    assert(
      after.generation - generation <= times,
      `${times} SIGHUPs caused ${after.generation - generation} reloads`,
    );
    return `${times}, ${after.generation - generation} reloads`;
  },
};

const watch: Action = {
  name: 'watch',
  weight: 1,
  async perform({ service }) {
    const { generation } = await untilSettled(service);
    service.touch();
    await eventually(async () => (await service.status()).generation > generation, 'a new generation serves');
    await untilSettled(service);
    return '';
  },
};

/** It costs no request: a worker drains after an uncaught exception. */
const uncaughtException: Action = {
  name: 'uncaught exception',
  weight: 1,
  async perform(context) {
    await untilSettled(context.service);
    const pid = await pickWorker(context);
    context.service.failing.inject(pid, 'throw');
    await untilReplaced(context.service, [pid]);
    await eventually(() => !isAlive(pid), 'the worker has exited');
    return '';
  },
};

const scale: Action = {
  name: 'scale',
  weight: 4,
  async perform({ service, random, maxWorkers }) {
    const { wanted } = await untilSettled(service);
    const instances = random.between(1, maxWorkers);
    const { ok, reason } = await service.command('/scale', { instances });
    assert(ok, `scaling to ${instances} failed: ${reason}`);
    assert((await untilSettled(service)).wanted === instances, `scaling to ${instances} did not last`);
    return `${wanted} to ${instances}`;
  },
};

const scaleDuringReload: Action = {
  name: 'scale during a reload',
  weight: 1,
  async perform({ service, random, maxWorkers }) {
    const { wanted } = await untilSettled(service);
    const instances = random.between(1, maxWorkers);
    const reloading = service.command('/reload');
    await pause(random.between(0, 800));
    const [reloaded, scaled] = await Promise.all([reloading, service.command('/scale', { instances })]);
    assert(reloaded.ok && scaled.ok, `reload: ${reloaded.reason}, scale: ${scaled.reason}`);
    assert((await untilSettled(service)).wanted === instances, `scaling to ${instances} did not last`);
    return `${wanted} to ${instances}`;
  },
};

const killSome: Action = {
  name: 'SIGKILL',
  weight: 4,
  async perform(context) {
    const { service, random } = context;
    const all = pids(await untilSettled(service));
    const first = random.between(0, all.length - 1);
    const number = random.chance(0.2) ? all.length : random.between(1, Math.ceil(all.length / 2));
    const victims = [...all.slice(first), ...all.slice(0, first)].slice(0, number);
    for (const pid of victims) {
      context.kill(pid);
      if (random.chance(0.5)) await pause(random.between(0, 150));
    }
    await untilReplaced(service, victims);
    return `${victims.length} of ${all.length}`;
  },
};

const killDuringReload: Action = {
  name: 'SIGKILL during a reload',
  weight: 2,
  async perform(context) {
    const { service, random } = context;
    await untilSettled(service);
    const reloading = service.command('/reload');
    await pause(random.between(0, 2_000));
    const pid = await pickWorker(context);
    context.kill(pid);
    const { ok, reason } = await reloading;
    await untilReplaced(service, [pid]);
    return ok ? 'finished' : `aborted: ${reason}`;
  },
};

const hangThenKill: Action = {
  name: 'hang, then SIGKILL',
  weight: 2,
  async perform(context) {
    const pid = await pickWorker(context);
    const ms = context.random.between(200, 1_500);
    await context.hang(pid);
    await pause(ms);
    context.kill(pid);
    await untilReplaced(context.service, [pid]);
    return `${ms} ms`;
  },
};

const hangThenResume: Action = {
  name: 'hang, then resume',
  weight: 1,
  async perform({ service, random }) {
    const pid = random.pick(pids(await untilSettled(service)));
    const ms = random.between(200, 1_500);
    process.kill(pid, 'SIGSTOP');
    await pause(ms);
    process.kill(pid, 'SIGCONT');
    assert(
      pids(await untilSettled(service)).includes(pid),
      'a worker that was only suspended has been replaced',
    );
    return `${ms} ms`;
  },
};

const hangThenReload: Action = {
  name: 'hang, then reload',
  weight: 1,
  async perform(context) {
    await untilSettled(context.service);
    const pid = await pickWorker(context);
    await context.hang(pid);
    const { ok, reason } = await context.service.command('/reload');
    assert(ok, `a hung worker made the reload fail: ${reason}`);
    assert(!isAlive(pid), 'the hung worker has survived the reload');
    await untilSettled(context.service);
    return 'killed at kill_timeout';
  },
};

const suspend: Action = {
  name: 'supervisor suspended',
  weight: 1,
  async perform({ service, random }) {
    const before = pids(await untilSettled(service));
    const ms = random.between(300, 2_000);
    service.supervisor.kill('SIGSTOP');
    await pause(ms);
    service.supervisor.kill('SIGCONT');
    assert(String(pids(await untilSettled(service))) === String(before), 'the workers have changed');
    return `${ms} ms`;
  },
};

/** A slot is recycled at most once a minute. */
const RECYCLE_PAUSE_MS = 65_000;

function memory(): Action {
  const recycledAt = new Map<number | null, number>();
  return {
    name: 'memory grows over its limit',
    weight: 2,
    async perform(context) {
      const { service, random } = context;
      const status = await untilSettled(service);
      const recyclable = serving(status).filter(
        ({ slot }) => performance.now() - (recycledAt.get(slot) ?? -Infinity) > RECYCLE_PAUSE_MS,
      );
      if (recyclable.length === 0) return 'not now';
      const { slot, pid } = random.pick(recyclable);
      recycledAt.set(slot, performance.now());
      context.takeMinServing();
      service.failing.inject(pid ?? NaN, 'grow');
      await eventually(() => !isAlive(pid ?? NaN), 'the grown worker has been replaced');
      assert(context.takeMinServing() >= status.wanted, 'fewer workers served meanwhile');
      await untilSettled(service);
      return `slot ${slot}`;
    },
  };
}

const slowBoot: Action = {
  name: 'slow boots',
  weight: 1,
  async perform(context) {
    const { service, random } = context;
    service.deploy('boots slowly');
    try {
      if (random.chance(0.5)) {
        await reloadSuccessfully(context, 'slow boots');
        return 'reloaded';
      }
      const pid = await pickWorker(context);
      context.kill(pid);
      await untilReplaced(service, [pid]);
      return 'after a SIGKILL';
    } finally {
      service.deploy('healthy');
    }
  },
};

const brokenBuild: Action = {
  name: 'broken build',
  weight: 2,
  async perform(context) {
    const { service, random } = context;
    const build = random.pick(BROKEN);
    await untilSettled(service);
    service.deploy(build);
    try {
      return `${build}: ${await reloadInVain(context, `a build that ${build}`)}`;
    } finally {
      service.deploy('healthy');
    }
  },
};

/** @param contents one of which it has at a time */
export const brokenAppFile = (weight: number, contents: readonly AppFile[]): Action => ({
  name: 'broken app file',
  weight,
  async perform(context) {
    const content = context.random.pick(contents);
    context.service.writeAppFile(content);
    try {
      await reloadInVain(context, `an app file that ${content}`);
      return content;
    } finally {
      context.service.writeAppFile('valid');
    }
  },
});

export const usualActions = (): readonly Action[] => [
  reload,
  hangUps,
  watch,
  uncaughtException,
  scale,
  scaleDuringReload,
  killSome,
  killDuringReload,
  hangThenKill,
  hangThenResume,
  hangThenReload,
  suspend,
  memory(),
  slowBoot,
  brokenBuild,
  brokenAppFile(1, ['does not parse']),
];

/** Picks one with a probability in proportion to its weight. */
export function pickAction(actions: readonly Action[], random: Random): Action {
  return random.pick(actions.flatMap(action => Array.from({ length: action.weight }, () => action)));
}
