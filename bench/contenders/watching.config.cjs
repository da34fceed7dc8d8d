'use strict';
/** Our app file with the options for which the native supervisor loads more code: `cron_restart` and `watch`. */
const {
  apps: [app],
} = require('../../ecosystem.config.js');

module.exports = { apps: [{ ...app, cron_restart: '0 4 * * *', watch: ['./dist'] }] };
