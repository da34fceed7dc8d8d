/** An app file that is an ES module. */
import { same, scenario } from '../scenario.js';
import { colourAcrossReload } from '../steps.js';

export default scenario({
  section: 'App file',
  title: 'it may be an ES module that exports `apps`',
  app: { instances: 1, env: { COLOUR: 'red' } },
  file: {
    name: 'ecosystem.config.mjs',
    textOf: content => `export const { apps } = ${JSON.stringify(content)};\n`,
  },
  run: colourAcrossReload,
  expect: same('starts with COLOUR red, reloads to COLOUR blue'),
});
