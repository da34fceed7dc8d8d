import type { App } from '../../../src/supervisor/app-file/load.js';
import { createInstanceVariables } from '../../../src/supervisor/processes/instance-variables.js';

const app = (fields: Partial<App> = {}): App =>
  ({
    name: 'api',
    namespace: 'default',
    instanceVar: 'NODE_APP_INSTANCE',
    incrementVar: undefined,
    env: {},
    ...fields,
  }) as App;

test('a worker is described as by PM2, but without pm_id', () => {
  expect(createInstanceVariables().of(1, app(), 3)).toEqual({
    name: 'api',
    namespace: 'default',
    instances: '3',
    exec_mode: 'cluster_mode',
    restart_time: '0',
    NODE_APP_INSTANCE: '1',
  });
});

test('restart_time counts the forks of a slot after its first, and begins anew with a new slot', () => {
  const variables = createInstanceVariables();
  const restarts = (slot: number): string | undefined => variables.of(slot, app(), 2)['restart_time'];
  expect([restarts(0), restarts(0), restarts(1), restarts(0)]).toEqual(['0', '1', '0', '2']);
  variables.keep(1);
  expect([restarts(0), restarts(1)]).toEqual(['3', '0']);
});

test("a variable of the app's own comes first", () => {
  const { name, instances } = createInstanceVariables().of(0, app({ env: { name: 'mine' } }), 1);
  expect([name, instances]).toEqual([undefined, '1']);
});
