/** An ES module as the entry. */
import { notApplicable, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'an ES module as the entry runs, or is refused with the cure',
  program: 'module.mjs',
  async play(service) {
    const { ok, text } = await service.start();
    if (!ok)
      return /a CommonJS file that imports the ES module/.test(text) ? 'refused with the cure' : 'refused';
    await service.answers();
    return `${await read(service, '/')} answers`;
  },
  expect: notApplicable({
    pm2: 'module answers',
    native: 'refused with the cure',
    because:
      'a decision: as an entry its failures go unseen (next row), and the cure runs under both (the row after it)',
  }),
});
