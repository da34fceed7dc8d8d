/** The log lines of this service's workers, from the first to the last: at boot, for each request, in the drain. */
import { request, until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

type Line = Readonly<Record<string, unknown>>;

/** What a line says, without what differs from run to run. */
const textOf = ({ msg }: Line): string =>
  String(msg)
    .replace(/^Worker \d+/, 'Worker N')
    .replace(/ \S+ ms$/, ' N ms');

/** Which keys the lines have, and which lines have these. */
function shapesOf(lines: readonly Line[]): string[] {
  const shapes = new Map<string, Set<string>>();
  for (const line of lines) {
    const keys = Object.keys(line).join(' ');
    shapes.set(keys, (shapes.get(keys) ?? new Set()).add(textOf(line)));
  }
  return [...shapes].map(([keys, texts]) => `{ ${keys} }: ${[...texts].join(', ')}`);
}

export default scenario({
  chapter: 'The service itself',
  promise: 'workers log the same JSON lines with the same keys',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async play(service) {
    const pids = await service.started(1);
    await service.get('/health');
    await service.get('/nowhere');
    const headers = { 'Content-Type': 'application/json' };
    await request(service.port, '/echo', { method: 'POST', headers, body: '{' });
    await service.stop();
    await gone(pids);
    // Whatever a worker writes is JSON, or this throws.
    const lines = (): Line[] => service.logs().map(line => JSON.parse(line) as Line);
    await until(() => lines().some(({ msg }) => String(msg).includes('draining')), 'the last line is read');
    const strangers = lines().filter(({ pid }) => !pids.includes(Number(pid)));
    return [...shapesOf(lines()), ...strangers.map(line => JSON.stringify(line))].join('; ');
  },
  expect: same(
    '{ level time pid hostname env msg }: ' +
      "Worker N starting, Worker N HTTP server started successfully, Worker N draining (supervisor's order); " +
      '{ level time pid hostname env requestId method url status ms msg }: ' +
      'GET / 404 N ms, GET /health 200 N ms, GET /nowhere 404 N ms, POST /echo 400 N ms',
  ),
});
