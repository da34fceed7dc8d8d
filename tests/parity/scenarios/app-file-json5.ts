/** An app file in JSON5. */
import { stringify } from 'json5';
import { same, scenario } from '../scenario.js';
import { colourAcrossReload } from '../steps.js';

export default scenario({
  section: 'App file',
  title: 'it may be JSON5',
  app: { instances: 1, env: { COLOUR: 'red' } },
  file: {
    name: 'apps.json5',
    textOf: content => stringify(content, undefined, 2),
  },
  run: colourAcrossReload,
  expect: same('starts with COLOUR red, reloads to COLOUR blue'),
});
