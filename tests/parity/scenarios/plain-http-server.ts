/** A plain `http` server that sends no `ready`: start, request, reload. */
import { same, scenario } from '../scenario.js';
import { answersAcrossReload } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'a plain `http` server runs unchanged',
  program: 'plain.js',
  app: { wait_ready: false },
  run: answersAcrossReload,
  expect: same('plain answers before, plain answers after a reload'),
});
