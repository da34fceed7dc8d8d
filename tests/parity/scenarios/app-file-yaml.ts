/** An app file in YAML. */
import { dump } from 'js-yaml';
import { same, scenario } from '../scenario.js';
import { colourAcrossReload } from '../steps.js';

export default scenario({
  section: 'App file',
  title: 'it may be YAML',
  app: { instances: 1, env: { COLOUR: 'red' } },
  file: {
    name: 'apps.yml',
    textOf: content => `# the apps\n${dump(content)}`,
  },
  run: colourAcrossReload,
  expect: same('starts with COLOUR red, reloads to COLOUR blue'),
});
