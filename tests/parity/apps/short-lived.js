'use strict';
/** A worker that never listens and exits by itself after half a second. */
const { note } = require('./journal.js');

note('works');
setTimeout(() => process.exit(1), 500);
