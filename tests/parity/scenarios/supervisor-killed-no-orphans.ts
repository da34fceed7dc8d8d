/** The supervisor is killed with SIGKILL. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'a supervisor that is killed leaves no orphan behind',
  async play(service) {
    const pids = await service.started(2);
    service.killSupervisor();
    await gone(pids);
    return 'every worker leaves';
  },
  expect: same('every worker leaves'),
});
