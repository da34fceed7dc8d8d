/** Not ours: an ES module that only its package.json tells from a script. */
import { createServer } from 'node:http';

createServer((_request, response) => response.end('module')).listen(Number(process.env.PORT), () =>
  process.send?.('ready'),
);
