'use strict';
/** `yarn dev:cluster`: compiles on every change, and the supervisor rolls the result out, a worker at a time. */
const { spawn } = require('node:child_process');
const { join } = require('node:path');
const { run } = require('./run.cjs');
const { setUp, forgetBuild, ROOT, TSC } = require('./setup.cjs');

async function main() {
  await setUp();
  forgetBuild();
  const compiler = spawn(
    process.execPath,
    [TSC, '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'],
    {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      // A group of its own: the compiler is a program behind a script, and both have to end.
      detached: true,
    },
  );
  const program = join(ROOT, 'dist', 'cluster.js');
  const code = await run(
    process.execPath,
    [program, '--env', 'development', '--watch', ...process.argv.slice(2)],
    { cwd: ROOT },
  );
  if (compiler.exitCode === null && compiler.signalCode === null) process.kill(-compiler.pid);
  process.exit(code);
}

void main();
