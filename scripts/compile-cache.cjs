'use strict';
/**
 * Fills Node's compile cache: starts the built service once, with one worker, and stops it. Node writes its cache when a
 * process ends. The cache works with one version of Node and for one user.
 */
const { fork } = require('node:child_process');
const nodeModule = require('node:module');
const { join } = require('node:path');

/** How long the service may take to start and to end. */
const TIMEOUT_MS = 20_000;

/** A service that cannot start here starts without a cache. */
async function fillCompileCache() {
  if (!('enableCompileCache' in nodeModule)) return; // Node before 22.8
  const service = fork(join(__dirname, 'warm-up.cjs'), ['--config', join(__dirname, 'warm-up.config.cjs')], {
    env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] },
    execArgv: [],
    stdio: ['ignore', 'pipe', 2, 'ipc'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  service.stdout?.setEncoding('utf8').on('data', text => {
    output += text;
    if (service.connected && output.includes('Listening on')) service.disconnect();
  });
  const code = await new Promise(resolve => service.once('exit', resolve));
  if (code !== 0)
    process.stderr.write(
      'No compile cache: the service does not start here with default settings, so its first start is slower\n',
    );
}

module.exports = { fillCompileCache };

if (require.main === module) void fillCompileCache();
