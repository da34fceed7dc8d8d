/** A second reload is ordered while the first one runs; a newer build has been put there in between. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { settled } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'who orders a reload gets what is there at that moment',
  app: { listen_timeout: 20_000 },
  async play(service) {
    await service.started(2);
    // The first reload goes on only when the second one has been ordered.
    service.describe({ env: { GATE: 'yes', BUILD: 'second' } });
    const first = service.reload();
    await until(() => service.journal(/^boots second/).length > 0, 'the first reload runs');
    service.describe({ env: { GATE: 'yes', BUILD: 'third' } });
    let isAnswered = false;
    const second = service.reload().finally(() => (isAnswered = true));
    await until(
      () => isAnswered || service.said().some(line => line.includes('another one follows it')),
      'the second one is refused, or taken',
    );
    service.put('gate', '');
    const { ok, text } = await second;
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
