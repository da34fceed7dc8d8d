/** Fields that are empty or `null`, as templates and forms leave them. */
import { same, scenario } from '../scenario.js';
import { CPUS, requireAllCpus, variablesOf } from '../steps.js';

export default scenario({
  section: 'App file',
  title: 'empty texts and `null` are not set; empty `instances` are `max`',
  app: {
    instances: '',
    args: '',
    cron_restart: '',
    env: { COLOUR: '' },
    env_production: '',
    ignore_watch: '',
    kill_timeout: '',
    listen_timeout: null,
    max_memory_restart: null,
    min_uptime: '',
    node_args: '',
    stop_exit_codes: '',
    watch: '',
  },
  async run(service) {
    requireAllCpus();
    const { ok, text } = await service.start({ envName: 'production' });
    if (!ok) return `refused: ${text}`;
    await service.servingPids(CPUS);
    return `a worker for each CPU, ${await variablesOf(service, 'COLOUR')}`;
  },
  expect: same('a worker for each CPU, COLOUR '),
});
