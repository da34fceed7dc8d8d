/** A second reload is requested while the first one runs; a newer build was deployed in between. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { allServing } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload that is requested during another one deploys the newest build',
  app: { listen_timeout: 20_000 },
  async run(service) {
    await service.startAndServe(2);
    // The first reload goes on only once the second one has been requested.
    service.writeAppFile({ env: { GATE: 'yes', BUILD: 'second' } });
    const first = service.reload();
    await until(() => service.journal(/^boots second/).length > 0, 'the first reload runs');
    service.writeAppFile({ env: { GATE: 'yes', BUILD: 'third' } });
    let hasEnded = false;
    const second = service.reload().finally(() => (hasEnded = true));
    await until(
      () => hasEnded || service.supervisorLog().some(line => line.includes('another one follows it')),
      'the second one is refused or queued',
    );
    service.writeFile('gate', '');
    const { ok, text } = await second;
    await first;
    const pids = await allServing(service);
    const builds = service
      .journal(/^boots/)
      .filter(({ pid }) => pids.includes(pid))
      .map(({ event }) => event.split(' ')[1]);
    const outcome = ok
      ? 'done'
      : /already in progress/.test(text)
        ? 'refused: already in progress'
        : 'failed';
    return `${outcome}; builds that serve: ${[...new Set(builds)].join(' and ')}`;
  },
  expect: better({
    pm2: 'refused: already in progress; builds that serve: second',
    native: 'done; builds that serve: third',
    reason: 'the second reload runs after the first one',
  }),
});
