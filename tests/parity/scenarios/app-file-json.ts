/** An app file in JSON with comments, trailing commas and a byte order mark. */
import { same, scenario } from '../scenario.js';
import { colourAcrossReload } from '../steps.js';

export default scenario({
  section: 'App file',
  title: 'it may be JSON with comments and a byte order mark',
  app: { instances: 1, env: { COLOUR: 'red' } },
  file: {
    name: 'apps.json',
    textOf: content => `\ufeff// the apps\n${JSON.stringify(content).replace(/}$/, ', /* no more */ }')}\n`,
  },
  run: colourAcrossReload,
  expect: same('starts with COLOUR red, reloads to COLOUR blue'),
});
