/** An ES module by the type of its package.json only. */
import { createServer } from 'node:http';

createServer((_request, response) => response.end('module')).listen(Number(process.env.PORT), () =>
  process.send?.('ready'),
);
