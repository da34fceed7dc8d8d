/** The log lines of a worker of this service, from boot to drain. */
import { request, until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

type Line = Readonly<Record<string, unknown>>;

/** The message of a line, without what differs from run to run. */
const messageOf = ({ msg }: Line): string =>
  String(msg)
    .replace(/^Worker \d+/, 'Worker N')
    .replace(/:\d+$/, ':N')
    .replace(/ \S+ ms$/, ' N ms');

/** Each set of keys, with the messages of the lines that have it. */
function shapesOf(lines: readonly Line[]): string[] {
  const messagesByKeys = new Map<string, Set<string>>();
  for (const line of lines) {
    const keys = Object.keys(line).join(' ');
    messagesByKeys.set(keys, (messagesByKeys.get(keys) ?? new Set()).add(messageOf(line)));
  }
  return [...messagesByKeys].map(([keys, messages]) => `{ ${keys} }: ${[...messages].join(', ')}`);
}

export default scenario({
  section: 'This service',
  title: 'workers log JSON lines with the same keys',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async run(service) {
    const pids = await service.startAndServe(1);
    await service.get('/health');
    await service.get('/nowhere');
    const headers = { 'Content-Type': 'application/json' };
    await request(service.port, '/echo', { method: 'POST', headers, body: '{' });
    await service.stop();
    await untilExited(pids);
    // Throws if a line is not JSON.
    const lines = (): Line[] => service.workerLogs().map(line => JSON.parse(line) as Line);
    await until(() => lines().some(({ msg }) => String(msg).includes('draining')), 'the last line is read');
    const others = lines().filter(({ pid }) => !pids.includes(Number(pid)));
    return [...shapesOf(lines()), ...others.map(line => JSON.stringify(line))].join('; ');
  },
  expect: same(
    '{ level time pid hostname env msg }: ' +
      "Worker N starting, Worker N HTTP server started successfully, Listening on http://localhost:N, Worker N draining (supervisor's order); " +
      '{ level time pid hostname env requestId method url status ms msg }: ' +
      'GET / 404 N ms, GET /health 200 N ms, GET /nowhere 404 N ms, POST /echo 400 N ms',
  ),
});
