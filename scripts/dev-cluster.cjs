'use strict';
/** `yarn dev:cluster`: compiles on every change; the supervisor reloads its workers, one at a time. */
const { spawn } = require('node:child_process');
const { join } = require('node:path');
const { run } = require('./run.cjs');
const { setUp, invalidateBuild, ROOT, TSC } = require('./setup.cjs');

async function main() {
  await setUp();
  invalidateBuild();
  const compiler = spawn(
    process.execPath,
    [TSC, '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'],
    {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      // Its own process group: the compiler is a binary behind a script, and both must end.
      detached: true,
    },
  );
  const program = join(ROOT, 'dist', 'cluster.js');
  const code = await run(
    process.execPath,
    [program, '--env', 'development', '--watch', ...process.argv.slice(2)],
    { cwd: ROOT },
  );
  const { pid, exitCode, signalCode } = compiler;
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid);
  process.exit(code);
}

void main();
