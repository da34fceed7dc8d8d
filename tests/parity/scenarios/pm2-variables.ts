/** The variables by which PM2 describes a worker to itself. */
import { better, scenario } from '../scenario.js';
import { untilExited, variablesOf } from '../steps.js';

const NAMES = ['name', 'namespace', 'instances', 'exec_mode', 'restart_time'];

export default scenario({
  section: 'Environment',
  title: "a worker reads its name, mode and number of restarts in PM2's variables",
  app: { instances: 1 },
  async run(service) {
    const before = await service.startAndServe(1);
    const first = await variablesOf(service, ...NAMES, 'pm_id');
    await service.reload();
    await untilExited(before);
    return `${first}; after a reload ${await variablesOf(service, 'restart_time')}`;
  },
  expect: better({
    pm2: 'name parity-app, namespace default, instances 1, exec_mode cluster_mode, restart_time 0, pm_id 0; after a reload restart_time 1',
    native:
      'name parity-app, namespace default, instances 1, exec_mode cluster_mode, restart_time 0, pm_id unset; after a reload restart_time 1',
    reason: '`pm_id` would say that PM2 runs the worker',
  }),
});
