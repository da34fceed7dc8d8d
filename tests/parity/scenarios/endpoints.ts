/** The answers of the endpoints of this service. */
import { same, scenario } from '../scenario.js';

const shapeOf = (body: unknown): string =>
  Object.entries(body as Record<string, unknown>)
    .map(
      ([key, value]) =>
        `${key}: ${['status', 'message', 'environment'].includes(key) ? String(value) : typeof value}`,
    )
    .join(', ');

export default scenario({
  section: 'This service',
  title: '`/health` and `/api/status` answer in the same form',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async run(service) {
    const [pid] = await service.startAndServe(1);
    const health = (await service.get('/health')).json() as { worker: number };
    const status = (await service.get('/api/status')).json();
    return `{ ${shapeOf(health)} } { ${shapeOf(status)} } ${health.worker === pid ? 'from the listed worker' : ''}`;
  },
  expect: same(
    '{ status: ok, timestamp: string, uptime: number, worker: number } ' +
      '{ message: Cabe Arena API is running, version: string, environment: production, worker: number } ' +
      'from the listed worker',
  ),
});
