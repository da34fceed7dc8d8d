'use strict';
/** The standard app under PM2 as its documentation has it: cluster mode, everything else as it comes. */
module.exports = {
  apps: [
    {
      name: 'standard',
      script: './express.cjs',
      cwd: __dirname,
      exec_mode: 'cluster',
      instances: Number(process.env.WEB_CONCURRENCY),
      // One file for all workers, so that lines can be counted.
      merge_logs: true,
    },
  ],
};
