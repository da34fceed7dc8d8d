'use strict';
/** Not ours: a server as in the first lines of Node's manual, without a word about readiness or signals. */
const { createServer } = require('node:http');

createServer((_request, response) => response.end('plain')).listen(Number(process.env.PORT));
