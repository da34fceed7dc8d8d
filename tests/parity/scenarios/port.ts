/** `port`, PM2's short form of PORT. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`port` overrides PORT of `env` and of the shell',
  async run(service) {
    service.writeAppFile({ instances: 1, port: service.port, env: { PORT: '1' } });
    await service.startAndServe(1);
    return (await bodyOf(service, '/env?PORT')) === String(service.port) ? 'listens on `port`' : 'does not';
  },
  expect: same('listens on `port`'),
});
