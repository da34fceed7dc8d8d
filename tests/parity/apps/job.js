'use strict';
/** A job: it does its work and ends. */
const { note } = require('./journal.js');

note('boots');
setTimeout(() => {
  note('leaves');
  process.exit(0);
}, 100);
