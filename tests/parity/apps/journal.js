'use strict';
/** What a worker has lived through, a line each: `<ms since the epoch> <pid> <what>`. Written at once, never lost. */
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');

exports.note = what => appendFileSync(join(__dirname, 'journal'), `${Date.now()} ${process.pid} ${what}\n`);
