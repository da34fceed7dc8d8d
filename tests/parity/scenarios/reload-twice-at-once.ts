/** A second reload is ordered while the first one runs; a newer build has been put there in between. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { settled } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'who orders a reload gets what is there at that moment',
  app: { env: { BOOT_MS: 600 } },
  async play(service) {
    await service.started(2);
    service.describe({ env: { BOOT_MS: 600, BUILD: 'second' } });
    const first = service.reload();
    await until(() => service.journal(/^boots second/).length > 0, 'the first reload runs');
    service.describe({ env: { BOOT_MS: 600, BUILD: 'third' } });
    const { ok, text } = await service.reload();
    await first;
    const pids = await settled(service);
    const builds = service
      .journal(/^boots/)
      .filter(({ pid }) => pids.includes(pid))
      .map(({ what }) => what.split(' ')[1]);
    const told = ok ? 'done' : /already in progress/.test(text) ? 'refused: already in progress' : 'failed';
    return `${told}; builds that serve: ${[...new Set(builds)].join(' and ')}`;
  },
  expect: better({
    pm2: 'refused: already in progress; builds that serve: second',
    native: 'done; builds that serve: third',
    how: 'a reload that was asked for while one runs follows it',
  }),
});
