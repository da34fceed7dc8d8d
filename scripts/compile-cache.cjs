'use strict';
/**
 * Fills Node's compile cache: starts the built service once, with one worker, and stops it. Node writes its cache when a
 * process ends. The cache works with one version of Node and for one user.
 */
const { spawn } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { ROOT } = require('./setup.cjs');

const DIST = join(ROOT, 'dist');

/** How long the service may take to start and to end. */
const TIMEOUT_MS = 20_000;

/** The app file that the service is started from. */
const APP = {
  name: 'compile-cache',
  script: join(DIST, 'index.js'),
  exec_mode: 'cluster',
  instances: 1,
  wait_ready: true,
  shutdown_with_message: true,
  env: { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', CABE_WARM_UP: '1' },
};

/** A service that cannot start here starts without a cache. */
async function fillCompileCache() {
  const folder = mkdtempSync(join(tmpdir(), 'cabe-build-'));
  const file = join(folder, 'ecosystem.config.js');
  writeFileSync(file, `module.exports = ${JSON.stringify(APP)};`);
  const supervisor = spawn(process.execPath, [join(DIST, 'cluster.js'), '--config', file], {
    env: { PATH: process.env['PATH'], RUN_DIR: folder },
    stdio: ['ignore', 'pipe', 2],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  supervisor.stdout?.setEncoding('utf8').on('data', text => {
    output += text;
    if (output.includes('Listening on')) supervisor.kill('SIGTERM');
  });
  const code = await new Promise(resolve => supervisor.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0)
    process.stderr.write(
      'No compile cache: the service does not start here with default settings, so its first start is slower\n',
    );
}

module.exports = { fillCompileCache };

if (require.main === module) void fillCompileCache();
