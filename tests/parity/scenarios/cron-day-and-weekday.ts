/** `cron_restart` names a day of the month and a day of the week, and only one of them is today. */
import { same, scenario } from '../scenario.js';
import { becomesTrue } from '../steps.js';

const DAY_MS = 24 * 3_600_000;

/** Today and tomorrow: the scenario may run around midnight. */
const days = [new Date(), new Date(Date.now() + DAY_MS)];
const dates = days.map(day => day.getDate());
const otherWeekdays = [0, 1, 2, 3, 4, 5, 6].filter(weekday => !days.some(day => day.getDay() === weekday));

export default scenario({
  section: 'Memory, cron and watch',
  title: '`cron_restart` with a day of the month and a day of the week needs both to match',
  app: { cron_restart: `* * * ${dates.join(',')} * ${otherWeekdays.join(',')}` },
  async run(service) {
    await service.startAndServe(2);
    // If one of them were enough, the workers would be replaced every second.
    const restarts = await becomesTrue(() => service.journal(/^boots/).length > 2, 4_000);
    return restarts ? 'restarted today' : 'not restarted today';
  },
  expect: same('not restarted today'),
});
