'use strict';
/** The usual Express app under PM2 as in its documentation: cluster mode, everything else default. */
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
