'use strict';
/** The cure for an ES module: a CommonJS entry that imports it, and ends when that fails. */
import('./module.mjs').catch(error => {
  console.error(error);
  process.exit(1);
});
