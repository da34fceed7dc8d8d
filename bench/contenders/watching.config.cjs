'use strict';
/** Our own app file with everything that makes the native supervisor load more: a calendar and a watch on the program. */
const {
  apps: [app],
} = require('../../ecosystem.config.js');

module.exports = { apps: [{ ...app, cron_restart: '0 4 * * *', watch: ['./dist'] }] };
