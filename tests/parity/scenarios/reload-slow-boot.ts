/** A reload onto a build that is ready only after its `listen_timeout`: here, when the reload is over. */
import { better, scenario } from '../scenario.js';
import { reloadOnto } from '../steps.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a slow boot is no outage',
  app: { listen_timeout: 700 },
  async play(service) {
    const seen = await reloadOnto(service, () => service.describe({ env: { GATE: 'yes' } }));
    service.put('gate', '');
    await service.answers();
    return `${seen}; both serve in the end`;
  },
  expect: better({
    pm2: 'told as a success, the old workers are gone, requests are lost; both serve in the end',
    native: 'told as a failure, the old workers stay, no request is lost; both serve in the end',
    how: 'a build that outgrew its listen_timeout is refused instead of trusted',
  }),
});
