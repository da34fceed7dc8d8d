/** Our own worker with a route that keeps the CPU busy, for tests of overload. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, ROOT } from './processes.js';

/** Keeps the main loop busy for so many milliseconds. */
export const burnPath = (ms: number): string => `/api/burn/${ms}`;

/** @returns the program of the built worker with {@link burnPath} among its routes */
export function burningWorker(): string {
  const program = join(folder(), 'app.js');
  const dist = JSON.stringify(join(ROOT, 'dist'));
  writeFileSync(
    program,
    `const routes = require(${dist} + '/routes/status.js');
     const { status } = routes;
     routes.status = environment => status(environment).use('/burn/:ms', (request, response) => {
       for (const end = performance.now() + Number(request.params.ms); performance.now() < end;);
       response.json({ burnt: request.params.ms });
     });
     require(${dist} + '/worker/main.js').runWorker();`,
  );
  return program;
}
