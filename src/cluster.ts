#!/usr/bin/env node
/** The native supervisor and its commands. */
import { parseCommandLine, type CommandLine } from './commands/command-line.js';
import { EXIT, ServiceError } from './errors.js';

/** Only what a command needs is loaded: the supervisor stays light. */
async function run(line: CommandLine): Promise<void> {
  switch (line.command) {
    case 'start':
      return (await import('./supervisor/supervise.js')).supervise(line);
    case 'help':
      return void process.stdout.write((await import('./commands/help.js')).HELP);
    case 'check':
      return (await import('./commands/check.js')).check(line);
    case 'status':
      return (await import('./commands/status.js')).status(line);
    default:
      return (await import('./commands/act.js')).act(line.command, line);
  }
}

/** A service speaks to its log, a command to whoever typed it. */
async function fail(error: unknown, command: CommandLine['command'] | undefined): Promise<void> {
  const isNamed = error instanceof ServiceError;
  process.exitCode = isNamed ? error.exitCode : EXIT.internal;
  if (command !== 'start')
    return void process.stderr.write(`${isNamed ? error.message : String((error as Error).stack)}\n`);
  const { createLogger } = await import('./utils/logger.js');
  const logger = createLogger({
    env: process.env['NODE_ENV'] === 'development' ? 'development' : 'production',
  });
  if (isNamed) logger.fatal(error.message);
  else logger.fatal({ err: error }, `Master process ${process.pid} failed`);
  process.exit();
}

async function main(): Promise<void> {
  let command: CommandLine['command'] | undefined;
  try {
    const line = parseCommandLine(process.argv.slice(2), process.cwd());
    ({ command } = line);
    await run(line);
  } catch (error) {
    await fail(error, command);
  }
}

void main();
