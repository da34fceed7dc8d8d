/**
 * The app file, for PM2 (`pm2 start ecosystem.config.js`) and the native supervisor (`yarn start:cluster`). Under both,
 * `env` overrides the shell, so it sets NODE_ENV only: PORT, LOG_LEVEL and other variables come from the shell.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const program = join(__dirname, 'dist', 'index.js');
const isBuilt = existsSync(program);
// PM2 reports the missing script but not the cure; the native supervisor reports both itself.
if (!isBuilt && process.env.PM2_USAGE === 'CLI')
  console.error(`${program} does not exist; run "yarn build" (or "npm run build") first`);

/** The same defaults and limits as in the worker. */
const { DEFAULTS, KILL_MARGIN_MS, MAX_WORKERS } = isBuilt ? require('./dist/protocol/limits.js') : {};
const { CLOSE_TIMEOUT_MS, DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS, WEB_CONCURRENCY } = process.env;

/** A whole number from the shell; the worker refuses any other text with an error. */
const number = (text, otherwise) => (/^\d+$/.test(text ?? '') ? Number(text) : otherwise);

/** WEB_CONCURRENCY, or one worker fewer than CPUs: one CPU is left to the operating system. */
function instances() {
  const wanted = number(WEB_CONCURRENCY, 0);
  return wanted >= 1 && wanted <= MAX_WORKERS ? wanted : -1;
}

/** A worker drains and closes its resources within its own deadlines; it is killed if it has not exited a second later. */
function killTimeout() {
  const delay = number(DRAIN_DELAY_MS, DEFAULTS.drainDelayMs);
  const drain = number(DRAIN_TIMEOUT_MS, DEFAULTS.drainTimeoutMs);
  return delay + drain + number(CLOSE_TIMEOUT_MS, DEFAULTS.closeTimeoutMs) + KILL_MARGIN_MS;
}

module.exports = {
  apps: [
    {
      name: 'cabe-arena-api',
      // Relative, because PM2 takes an absolute path with a space for a command line.
      script: 'dist/index.js',
      // Otherwise PM2 uses the folder in which it is called.
      cwd: __dirname,
      exec_mode: 'cluster',
      instances: instances(),

      // A worker serves from its message `ready` on, not from its fork on.
      wait_ready: true,
      listen_timeout: 10_000,

      kill_timeout: isBuilt ? killTimeout() : undefined,
      // A message reaches only the worker; a signal would reach its child processes, too.
      shutdown_with_message: true,

      // Crashes are retried at 100 ms, 150 ms, 225 ms … 15 s.
      exp_backoff_restart_delay: 100,
      // A retry does not cure an invalid configuration (5) or a taken port (6).
      stop_exit_codes: [5, 6],
      max_memory_restart: '1G',

      // One log for all workers: each line carries its pid.
      merge_logs: true,
      // PM2's metrics agent patches http in every worker, and ends it with unanswered requests when the daemon dies.
      pmx: false,

      env: { NODE_ENV: 'production' },
      env_development: { NODE_ENV: 'development' },
    },
  ],
};
