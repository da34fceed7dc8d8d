'use strict';
/** A worker that never listens, such as one that takes its work from a queue. */
const { note } = require('./journal.js');

note('works');
setInterval(() => undefined, 1_000);
