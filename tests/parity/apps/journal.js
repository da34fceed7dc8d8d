'use strict';
/** What a worker has lived through, a line each: `<ms since the epoch> <pid> <what>`. Written at once, never lost. */
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');

exports.note = (what, at = Date.now()) =>
  appendFileSync(join(__dirname, 'journal'), `${at} ${process.pid} ${what}\n`);
