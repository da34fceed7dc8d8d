/** Numbers, booleans and objects in `env`. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: 'values in `env` become strings, objects become JSON',
  app: { instances: 1, env: { COUNT: 7, FLAG: true, OBJECT: { a: [1] } } },
  async run(service) {
    await service.startAndServe(1);
    const values = ['COUNT', 'FLAG', 'OBJECT'].map(name => bodyOf(service, `/env?${name}`));
    return (await Promise.all(values)).join(' ');
  },
  expect: same('7 true {"a":[1]}'),
});
