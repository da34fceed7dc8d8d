'use strict';
const { spawn } = require('node:child_process');

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command and resolves with its exit code. Signals that reach this process are handed on, and it outlives
 * the command, so that nothing is left behind. A signal's death is told as a shell would: 128 + its number.
 */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const handOn = signal => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, handOn);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const name of SIGNALS) process.off(name, handOn);
      resolve(code ?? 128 + require('node:os').constants.signals[signal]);
    });
  });
}

module.exports = { run };
