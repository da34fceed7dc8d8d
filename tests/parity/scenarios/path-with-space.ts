/** This repository's own app file and worker, in a folder whose name has a space in it. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'The service itself',
  promise: 'the service starts from a folder with a space in its path',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async play(service) {
    const project = join(service.folder, 'my project');
    for (const name of ['dist', 'package.json', 'ecosystem.config.js'])
      cpSync(join(ROOT, name), join(project, name), { recursive: true });
    // As it stands there, but for the name by which the scenario gives its commands.
    service.put(
      'ecosystem.config.js',
      `const { apps: [app] } = require('./my project/ecosystem.config.js');
       module.exports = { apps: [{ ...app, name: 'parity-app' }] };`,
    );
    await service.started(2);
    return `GET /health: ${(await service.get('/health')).status}`;
  },
  expect: same('GET /health: 200'),
});
