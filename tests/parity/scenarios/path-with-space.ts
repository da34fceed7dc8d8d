/** This repository's own app file and worker, in a folder whose name has a space in it. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  section: 'This service',
  title: 'the service starts from a folder with a space in its path',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async run(service) {
    const project = join(service.folder, 'my project');
    for (const name of ['dist', 'package.json', 'ecosystem.config.js'])
      cpSync(join(ROOT, name), join(project, name), { recursive: true });
    // The same app file, with the name that the commands of the scenario use.
    service.writeFile(
      'ecosystem.config.js',
      `const { apps: [app] } = require('./my project/ecosystem.config.js');
       module.exports = { apps: [{ ...app, name: 'parity-app' }] };`,
    );
    await service.startAndServe(2);
    return `GET /health: ${(await service.get('/health')).status}`;
  },
  expect: same('GET /health: 200'),
});
