/** The supervisor is killed with SIGKILL. */
import { same, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

export default scenario({
  section: 'Supervisor and port',
  title: 'a supervisor that is killed leaves no process behind',
  async run(service) {
    const pids = await service.startAndServe(2);
    service.killSupervisor();
    await untilExited(pids);
    return 'every worker exits';
  },
  expect: same('every worker exits'),
});
