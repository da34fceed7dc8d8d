/** An ES module as the entry. */
import { createServer } from 'node:http';

createServer((_request, response) => response.end('module')).listen(Number(process.env.PORT), () =>
  process.send?.('ready'),
);
