/** `shutdown_with_message` and a reload. */
import { better, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: '`shutdown_with_message` holds for workers that a reload retires, too',
  app: { instances: 1, shutdown_with_message: true },
  async play(service) {
    const pids = await service.started(1);
    await service.reload();
    await gone(pids);
    const orders = service.journal(/^ordered/).filter(({ pid }) => pids.includes(pid));
    return orders.map(({ what }) => what).join(', ');
  },
  expect: better({
    pm2: 'ordered by SIGINT',
    native: 'ordered by message',
    how: 'one way to be told, whatever the reason',
  }),
});
