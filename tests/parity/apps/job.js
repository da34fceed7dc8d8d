'use strict';
/** A job: it does its work and exits. */
const { note } = require('./journal.js');

note('boots');
setTimeout(() => {
  note('exits');
  process.exit(0);
}, 100);
