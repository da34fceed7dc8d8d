'use strict';
const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a command and resolves with its exit code; 128 + the number of the signal that killed it, as in a shell. Signals to
 * this process are passed on, and it waits for the command, so that no process is left behind.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @param {(text: string) => void} [seen] gets its output, where `stdio` has pipes for it
 * @returns {Promise<number>}
 */
function run(command, args, options = {}, seen = () => undefined) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', seen);
    /** @param {NodeJS.Signals} signal */
    const passOn = signal => child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, passOn);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of SIGNALS) process.off(name, passOn);
      resolve(signal === null ? Number(code) : 128 + constants.signals[signal]);
    });
  });
}

module.exports = { run };
