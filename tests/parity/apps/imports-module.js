'use strict';
/** The workaround for an ES module: a CommonJS entry that imports it, and exits when that fails. */
import('./module.mjs').catch(error => {
  console.error(error);
  process.exit(1);
});
