/** The alert rules and the dashboard use metrics that exist, and the rules are those that promtool accepts. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exposition } from '../../src/observability/exposition.js';
import { COUNTERS, GAUGES, type Snapshot } from '../../src/observability/snapshot.js';
import { createTotals } from '../../src/observability/totals.js';
import { ROOT } from '../support/processes.js';
import { isInstalled } from '../support/metrics.js';
import { IDLE } from '../support/snapshots.js';

const RULES = join(ROOT, 'deploy', 'prometheus', 'alerts.yml');
const DASHBOARD = join(ROOT, 'deploy', 'grafana', 'dashboard.json');

const SNAPSHOT = {
  ...IDLE,
  slot: 0,
  pid: 1,
  phase: 'serving',
  counters: Object.fromEntries(COUNTERS.map(name => [name, 1])) as Snapshot['counters'],
  gauges: Object.fromEntries(GAUGES.map(name => [name, 1])) as Snapshot['gauges'],
  requests: [
    { method: 'GET', route: '/a"\\\n', status: 200, buckets: Array.from({ length: 15 }, () => 1), sum: 1 },
  ],
} satisfies Snapshot;

/** The names of all series that a service exposes. */
async function exposed(): Promise<Set<string>> {
  const totals = createTotals();
  totals.update([SNAPSHOT], () => false);
  const slot = { slot: 0, newest: SNAPSHOT, draining: 0, restarts: 1, generation: 1 };
  const text = await exposition([slot], totals);
  return new Set([...text.matchAll(/^([a-z]\w*)[{ ]/gm)].map(([, name = '']) => name));
}

/** Prometheus makes this one. */
const OF_PROMETHEUS = 'up';

/** What a query reads: words before a brace or a bracket, or ones that look like a name of ours. */
const readIn = (query: string): string[] =>
  [...query.matchAll(/\b((?:worker|process|nodejs|v8js|http)_\w+?)(?=[{[\s)])/g)]
    .map(([, name = '']) => name)
    .filter(name => !['http_route', 'http_response_status_code', 'nodejs_eventloop_state'].includes(name));

test('the alerts read metrics that exist', async () => {
  const names = await exposed();
  const queries = [...readFileSync(RULES, 'utf8').matchAll(/expr: (>\n(?: {10}.*\n)+|.*)/g)].map(
    ([, query = '']) => query,
  );
  expect(queries).toHaveLength(9);
  for (const query of queries)
    expect([query, readIn(query).filter(name => name !== OF_PROMETHEUS && !names.has(name))]).toEqual([
      query,
      [],
    ]);
});

test('the dashboard reads metrics that exist', async () => {
  const names = await exposed();
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  for (const query of queries) {
    expect([query, readIn(query).length]).not.toEqual([query, 0]);
    expect([query, readIn(query).filter(name => !names.has(name))]).toEqual([query, []]);
  }
});

(isInstalled('promtool') ? describe : describe.skip)('promtool', () => {
  test.each([
    [['check', 'rules', RULES]],
    [['test', 'rules', RULES.replace('.yml', '.test.yml')]],
    [['check', 'config', RULES.replace('alerts', 'prometheus')]],
  ])('accepts them: %p', args => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS') as string]);
  });
});
