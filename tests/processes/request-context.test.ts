/** Lines of a feature carry the ids of their request in the built worker, also when it fails. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder, freePort, request, ROOT, start } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const TRACE = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' };
const headers = { 'X-Request-Id': 'mine', traceparent: `00-${TRACE.trace_id}-${TRACE.span_id}-01` };
const IDS = { requestId: 'mine', ...TRACE };

/** The worker's bundle has a logger of its own; a plain module requires another copy. */
function program(): string {
  const file = join(folder(), 'index.js');
  const from = (path: string): string => JSON.stringify(join(ROOT, 'dist', path));
  writeFileSync(
    file,
    `const { logger } = require(${from('utils/logger.js')});
     const routes = (router, context) => {
       router.get('/later', async (_request, response) => {
         await new Promise(resolve => setTimeout(resolve, 1));
         context.logger.info('by the context');
         logger.info('by the import');
         response.json({});
       });
       router.get('/crash', (_request, response) => {
         response.json({});
         setTimeout(() => { throw new Error('too late'); }, 1);
       });
     };
     require(${from('worker.bundle.js')}).runWorker({ features: [{ path: '/', routes }] });`,
  );
  return file;
}

test('the logger of a feature knows the request, and so does the fatal line that it causes, not the drain', async () => {
  const port = await freePort();
  const running = start([program()], { PORT: String(port) });
  await running.said(/HTTP server started successfully/);
  await request(port, '/later', { headers });
  expect(await running.said(/^by the context$/)).toMatchObject(IDS);
  expect(await running.said(/^by the import$/)).toMatchObject(IDS);
  expect(await running.said(/^GET \/later 200/)).toMatchObject(IDS);
  const held = request(port, '/crash', { headers });
  expect(await running.said(/^Worker \d+ failed/)).toMatchObject(IDS);
  await held;
  await running.ended;
  const named = running.lines.filter(line => 'requestId' in line).map(({ msg }) => msg);
  expect(named).toEqual([
    'by the context',
    'by the import',
    expect.stringMatching(/^GET \/later 200/),
    expect.stringMatching(/^GET \/crash 200/),
    expect.stringMatching(/^Worker \d+ failed/),
  ]);
});
