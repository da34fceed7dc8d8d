/** An ES module as the entry, by its file extension: start, request, reload. */
import { same, scenario } from '../scenario.js';
import { answersAcrossReload } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'an ES module runs as the entry',
  program: 'module.mjs',
  run: answersAcrossReload,
  expect: same('module answers before, module answers after a reload'),
});
