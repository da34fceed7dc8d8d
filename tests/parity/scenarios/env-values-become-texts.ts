/** Numbers, truth values and objects in `env`. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: 'values of `env` become texts, objects become JSON',
  app: { instances: 1, env: { COUNT: 7, FLAG: true, OBJECT: { a: [1] } } },
  async play(service) {
    await service.started(1);
    const values = ['COUNT', 'FLAG', 'OBJECT'].map(name => read(service, `/env?${name}`));
    return (await Promise.all(values)).join(' ');
  },
  expect: same('7 true {"a":[1]}'),
});
