'use strict';
/** A server as in the first lines of Node's manual: it neither reports readiness nor handles signals. */
const { createServer } = require('node:http');

createServer((_request, response) => response.end('plain')).listen(Number(process.env.PORT));
