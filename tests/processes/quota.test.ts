/** A real control group with a CPU quota, where this machine lets us make one. */
import { cpus } from 'node:os';
import { makeControlGroup } from '../support/control-group.js';
import { cleanUp, CLUSTER, start } from '../support/processes.js';
import { appFile } from '../support/service.js';

jest.setTimeout(60_000);

const group = makeControlGroup({ cpu: 150 });
afterAll(async () => {
  await cleanUp();
  await group?.remove();
});

/** What `check` says of a service that would like every CPU. */
async function workersWithin(...launcher: readonly string[]): Promise<string> {
  const file = appFile('', { instances: 'max' });
  const running = start([CLUSTER, 'check', '--config', file], {}, undefined, launcher);
  expect((await running.ended).code).toBe(0);
  return /workers +(.*)/.exec(running.text())?.[1] ?? running.text();
}

const many = cpus().length > 1 && process.platform === 'linux' ? describe : describe.skip;

many('of several CPUs', () => {
  (group === undefined ? describe.skip : describe)('a control group', () => {
    test('with a quota of one and a half leaves one worker, and that is said', async () => {
      const within = await workersWithin(...(group?.launcher ?? []));
      expect(within).toMatch(/^1 \(\d+ total CPUs, limited to 1 by cgroup quota\)$/);
    });
  });

  test('an affinity of one leaves one worker, and that is said', async () => {
    expect(await workersWithin('taskset', '-c', '0')).toMatch(
      /^1 \(\d+ total CPUs, limited to 1 by CPU affinity\)$/,
    );
  });
});
