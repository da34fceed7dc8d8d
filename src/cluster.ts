#!/usr/bin/env node
/** The native supervisor and its commands. */
import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { parseCommandLine, type CommandLine } from './commands/command-line.js';
import type { Environment } from './config.js';
import { ServiceError, type InvalidValue } from './errors.js';
import { EXIT } from './protocol/exit-codes.js';

/**
 * Only what a command needs is loaded: the supervisor stays light. By `require`, because `import()` brings the loader
 * of ES modules along, which is 4 MB and a tenth of the start.
 */
async function run(line: CommandLine): Promise<void> {
  switch (line.command) {
    case 'start':
      return (require('./supervisor/start.js') as typeof import('./supervisor/start.js')).supervise(line);
    case 'help':
      return void process.stdout.write(
        (require('./commands/help.js') as typeof import('./commands/help.js')).HELP,
      );
    case 'check':
      return (require('./commands/check.js') as typeof import('./commands/check.js')).check(line);
    case 'status':
      return (require('./commands/status.js') as typeof import('./commands/status.js')).status(line);
    default:
      return (require('./commands/act.js') as typeof import('./commands/act.js')).act(line.command, line);
  }
}

/** A service speaks to its log, a command to whoever typed it. */
function fail(error: unknown, line: CommandLine | undefined): void {
  const isNamed = error instanceof ServiceError;
  process.exitCode = isNamed ? error.exitCode : EXIT.internal;
  if (line?.command !== 'start')
    return void process.stderr.write(`${isNamed ? error.message : String((error as Error).stack)}\n`);
  const { createLogger } = require('./utils/logger.js') as typeof import('./utils/logger.js');
  const logger = createLogger({ env: environmentOf(line) });
  if (isNamed) logger.fatal(error.message);
  else logger.fatal({ err: error }, `Master process ${process.pid} failed`);
  process.exit();
}

/** Whoever develops reads what is wrong in the form of all other lines, also where the app file is what is wrong. */
function environmentOf({ file, only, envName }: CommandLine): Environment {
  const { identify } =
    require('./supervisor/app-file/load.js') as typeof import('./supervisor/app-file/load.js');
  const problems: InvalidValue[] = [];
  const { env } = identify({ file, only, envName, shell: process.env }, problems);
  const wanted = problems.length > 0 ? (envName ?? env['NODE_ENV']) : env['NODE_ENV'];
  return wanted === 'development' ? 'development' : 'production';
}

/**
 * The folder by the name under which the shell entered it: behind a link, `process.cwd()` is where the link led to, and
 * a deploy moves it. `PWD` is believed only where it is this folder.
 */
function workingDirectory(): string {
  const cwd = process.cwd();
  const { PWD: name } = process.env;
  try {
    return name !== undefined && isAbsolute(name) && realpathSync(name) === cwd ? name : cwd;
  } catch {
    return cwd; // PWD is somebody else's, and gone
  }
}

async function main(): Promise<void> {
  let line: CommandLine | undefined;
  try {
    line = parseCommandLine(process.argv.slice(2), workingDirectory());
    await run(line);
  } catch (error) {
    fail(error, line);
  }
}

void main();
