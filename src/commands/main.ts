/** The native supervisor and its commands: what `src/cluster.ts` runs. */
import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { parseCommandLine, type CommandLine } from './command-line.js';
import { ServiceError } from '../errors.js';
import { stackText } from '../logging/loggable.js';
import { EXIT } from '../protocol/exit-codes.js';

/**
 * Only what a command needs is loaded: the supervisor stays light. By `require`, because `import()` brings the loader
 * of ES modules along, which is 4 MB and a tenth of the start.
 */
async function run(line: CommandLine): Promise<void> {
  switch (line.command) {
    case 'start':
      return start(line);
    case 'help':
      return void process.stdout.write((require('./help.js') as typeof import('./help.js')).HELP);
    case 'version':
      return void process.stdout.write(
        `${(require('../version.js') as typeof import('../version.js')).VERSION}\n`,
      );
    case 'check':
      return (require('./check.js') as typeof import('./check.js')).check(line);
    case 'status':
      return (require('./status.js') as typeof import('./status.js')).status(line);
    case 'monit':
      return (require('./monit/monit.js') as typeof import('./monit/monit.js')).monit(line);
    case 'diagnose':
      return (require('./diagnose.js') as typeof import('./diagnose.js')).diagnose(line);
    default:
      return (require('./act.js') as typeof import('./act.js')).act(line.command, line);
  }
}

/** The app file is evaluated in a process of its own while this one loads its modules. */
function start(line: CommandLine): Promise<void> {
  const { readAppFile } =
    require('../supervisor/app-file/read.js') as typeof import('../supervisor/app-file/read.js');
  const file = readAppFile(line.file);
  const { supervise } = require('../supervisor/start.js') as typeof import('../supervisor/start.js');
  return supervise({ ...line, cwd: workingDirectory() }, file);
}

/** A command, or a command line that is none. What ends a service is in its log. */
function fail(error: unknown): void {
  const isNamed = error instanceof ServiceError;
  process.exitCode = isNamed ? error.exitCode : EXIT.internal;
  process.stderr.write(`${isNamed ? error.message : stackText(error)}\n`);
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
    return cwd; // PWD is another process's, and gone
  }
}

/** Never rejects: a failure is on standard error, and in the exit code. */
export async function main(): Promise<void> {
  try {
    await run(parseCommandLine(process.argv.slice(2), workingDirectory()));
  } catch (error) {
    fail(error);
  }
}
