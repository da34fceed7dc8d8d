/** `cron_restart` names a day of the month and a day of the week, and only one of them is today. */
import { same, scenario } from '../scenario.js';
import { comesTrue } from '../steps.js';

const DAY_MS = 24 * 3_600_000;

/** Also tomorrow: the scenario may be played around midnight. */
const days = [new Date(), new Date(Date.now() + DAY_MS)];
const dates = days.map(day => day.getDate());
const otherWeekdays = [0, 1, 2, 3, 4, 5, 6].filter(weekday => !days.some(day => day.getDay() === weekday));

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'with a day of the month and a day of the week, `cron_restart` waits for a day that is both',
  app: { cron_restart: `* * * ${dates.join(',')} * ${otherWeekdays.join(',')}` },
  async play(service) {
    await service.started(2);
    // Were one of them enough, workers would be replaced every second.
    const restarts = await comesTrue(() => service.journal(/^boots/).length > 2, 4_000);
    return restarts ? 'restarted today' : 'not restarted today';
  },
  expect: same('not restarted today'),
});
