/** The further actions of `yarn soak --chaos`: what an adversary, an unlucky operator and the machine do. */
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { CHANNEL_FAULTS, type ChannelFault } from '../support/failing-workers.js';
import { withoutDescriptors } from '../support/descriptors.js';
import { secondsAhead } from '../support/fake-clock.js';
import { until } from '../support/processes.js';
import { brokenAppFile } from './actions.js';
import {
  assert,
  eventually,
  pickWorker,
  pids,
  reloadSuccessfully,
  untilReplaced,
  untilSettled,
  type Action,
  type Context,
} from './checks.js';
import { burst } from './malformed.js';
import type { AppFile } from './service.js';

const brokenChannel: Action = {
  name: 'broken channel',
  weight: 3,
  async perform(context) {
    await untilSettled(context.service);
    const pid = await pickWorker(context);
    const how = context.random.pick(Object.keys(CHANNEL_FAULTS) as ChannelFault[]);
    context.breakChannel(pid, how);
    await untilReplaced(context.service, [pid]);
    return how;
  },
};

const BROKEN_APP_FILES = [
  'does not parse',
  'throws',
  'exits',
  'has no app',
  'never ends',
] as const satisfies readonly AppFile[];

/** The schedule of the app file reloads twice a minute. */
const schedule: Action = {
  name: 'cron_restart',
  weight: 1,
  async perform(context) {
    const { service } = context;
    service.writeAppFile('with a schedule');
    try {
      await reloadSuccessfully(context, 'an app file with a schedule');
      const { generation } = await service.status();
      await eventually(async () => (await service.status()).generation > generation, 'the schedule reloads');
      await untilSettled(service);
    } finally {
      service.writeAppFile('valid');
    }
    await reloadSuccessfully(context, 'an app file without a schedule');
    return '';
  },
};

/** What happens now must not replace a worker. */
async function harmless({ service }: Context, act: () => Promise<void>, what: string): Promise<void> {
  const before = await untilSettled(service);
  await act();
  const after = await untilSettled(service);
  assert(String(pids(after)) === String(pids(before)), `${what} has replaced a worker`);
}

const removedRunDirectory: Action = {
  name: 'run directory removed',
  weight: 1,
  async perform(context) {
    const { service, withoutControl } = context;
    const act = (): Promise<void> =>
      withoutControl(async () => {
        rmSync(service.runDirectory, { recursive: true });
        await eventually(() => isAnswering(context), 'the control socket is made again');
      });
    await harmless(context, act, 'the loss of the run directory');
    return '';
  },
};

const isAnswering = ({ service }: Context): Promise<boolean> =>
  service.status().then(
    () => true,
    () => false,
  );

const stalledOutput: Action = {
  name: 'output stalled',
  weight: 2,
  async perform(context) {
    const { service, random } = context;
    await untilSettled(service);
    const ms = random.between(1_000, 3_000);
    const stalled = service.output?.stall(ms);
    const doesReload = random.chance(0.5);
    if (doesReload) await reloadSuccessfully(context, 'output stalled');
    await harmless(context, async () => stalled, 'stalled output');
    return `${ms} ms${doesReload ? ', reloaded meanwhile' : ''}`;
  },
};

const DAY_S = 86_400;

const clockStep: Action = {
  name: 'clock set',
  weight: 2,
  async perform(context) {
    const { service, random } = context;
    const seconds = random.between(-DAY_S, DAY_S);
    const act = async (): Promise<void> => {
      service.clock?.set(seconds);
      // libfaketime reads its file every second or two, and Node keeps the text of a date for a second.
      await until(
        async () => Math.abs((await secondsAhead(service.port)) - seconds) < 30,
        `the service's clock is ${seconds} s ahead`,
      );
    };
    await harmless(context, act, 'a clock that was set');
    if (random.chance(0.5)) await reloadSuccessfully(context, 'the clock was set');
    return `${seconds} s ahead`;
  },
};

/** How long the supervisor can open no descriptor. */
const EMFILE_MS = 1_500;

const noDescriptors: Action = {
  name: 'supervisor without descriptors',
  weight: 2,
  async perform(context) {
    const { service, random, withoutControl } = context;
    const before = await untilSettled(service);
    const victim = random.chance(0.5) ? random.pick(pids(before)) : undefined;
    await withoutControl(() =>
      withoutDescriptors(service.supervisor.pid, async () => {
        if (victim === undefined) service.supervisor.kill('SIGHUP');
        else context.kill(victim);
        await pause(EMFILE_MS);
      }),
    );
    if (victim !== undefined) {
      await untilReplaced(service, [victim]);
      return 'after a SIGKILL';
    }
    const after = await untilSettled(service);
    assert(
      String(pids(after)) === String(pids(before)),
      'a reload without descriptors has replaced a worker',
    );
    await reloadSuccessfully(context, 'descriptors again');
    return 'at a reload';
  },
};

const malformedRequests: Action = {
  name: 'malformed requests',
  weight: 3,
  async perform(context) {
    const { service, random } = context;
    const size = random.between(20, 200);
    await harmless(
      context,
      async () => {
        const wrong = await burst(service.port, size, random);
        assert(wrong.length === 0, `malformed requests: ${wrong.slice(0, 3).join('; ')}`);
      },
      'a burst of malformed requests',
    );
    return `${size}`;
  },
};

/** @param clock whether the clock of the service can be set */
export const chaosActions = ({ clock }: { readonly clock: boolean }): readonly Action[] => [
  brokenChannel,
  brokenAppFile(3, BROKEN_APP_FILES),
  schedule,
  removedRunDirectory,
  stalledOutput,
  ...(clock ? [clockStep] : []),
  noDescriptors,
  malformedRequests,
];
