'use strict';
/** The events of all workers, a line each: `<ms since the epoch> <pid> <event>`. Written synchronously, so none is lost. */
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');

exports.note = (event, at = Date.now()) =>
  appendFileSync(join(__dirname, 'journal'), `${at} ${process.pid} ${event}\n`);
