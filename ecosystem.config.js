/**
 * The service, once: read by PM2 (`pm2 start ecosystem.config.js`) and by the native supervisor
 * (`yarn start:cluster`). It sets only what a user would not set in the shell: PORT, LOG_LEVEL and the
 * others come from there, because in both supervisors this file wins over the shell.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const program = join(__dirname, 'dist', 'index.js');
const isBuilt = existsSync(program);
// PM2 says what is missing but not the cure, which the native supervisor names itself.
if (!isBuilt && process.env.PM2_USAGE === 'CLI')
  console.error(`${program} does not exist; run "yarn build" (or "npm run build") first`);

/** Defaults and limits of the service, as the worker knows them. */
const { DEFAULTS, KILL_MARGIN_MS, MAX_WORKERS } = isBuilt ? require('./dist/protocol/limits.js') : {};
const { DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS, WEB_CONCURRENCY } = process.env;

/** A whole number from the shell; the worker itself refuses any other text, with a sentence. */
const number = (text, otherwise) => (/^\d+$/.test(text ?? '') ? Number(text) : otherwise);

/** All CPUs but one, which is left to the operating system, or what WEB_CONCURRENCY asks for. */
function instances() {
  const wanted = number(WEB_CONCURRENCY, 0);
  return wanted >= 1 && wanted <= MAX_WORKERS ? wanted : -1;
}

/** A worker drains within its own deadline; only one that has not ended a second later is killed. */
function killTimeout() {
  const delay = number(DRAIN_DELAY_MS, DEFAULTS.drainDelayMs);
  return delay + number(DRAIN_TIMEOUT_MS, DEFAULTS.drainTimeoutMs) + KILL_MARGIN_MS;
}

module.exports = {
  apps: [
    {
      name: 'cabe-arena-api',
      // Relative: PM2 takes a path with a space in it for a command line.
      script: 'dist/index.js',
      // PM2 would take the folder from which it is called.
      cwd: __dirname,
      exec_mode: 'cluster',
      instances: instances(),

      // A worker takes part when it says so, not when it has been forked.
      wait_ready: true,
      listen_timeout: 10_000,

      kill_timeout: isBuilt ? killTimeout() : undefined,
      // A message reaches the worker alone; a signal would reach its children, too.
      shutdown_with_message: true,

      // Crashes are retried at 100 ms, 150 ms, 225 ms … 15 s.
      exp_backoff_restart_delay: 100,
      // An invalid configuration (5) and a taken port (6) are not cured by another try.
      stop_exit_codes: [5, 6],
      max_memory_restart: '1G',

      // One log for all workers: each line carries its pid.
      merge_logs: true,
      // PM2's metrics agent patches http in every worker, and exits when its daemon dies, requests unanswered.
      pmx: false,

      env: { NODE_ENV: 'production' },
      env_development: { NODE_ENV: 'development' },
    },
  ],
};
