/**
 * The logger of every process of the service: JSON lines in production, readable ones in development.
 *
 * `import { logger } from './logger.js'` works in every module and in tests; compiled it is plain JavaScript:
 * `const { logger } = require('cabe-arena-api/logger')`.
 */
import { hostname } from 'node:os';
import pino, { type Logger as PinoLogger } from 'pino';
import { LOG_LEVELS, ownConfig, VARIABLES, type Environment, type LogLevel } from '../config.js';
import { isPreloaded } from '../platform/preload.js';
import { copied } from '../platform/log-copy.js';
import { guardChildren, SAFE_LINES } from '../logging/pino.js';
import { detectSupervisor } from '../protocol/supervised-by.js';
import { errors } from '../errors.js';
import { linesLost, standardOutput, type Output } from '../platform/stdout.js';
import { requestFields, runOutsideRequests } from './request-context.js';

export type Logger = PinoLogger;

export interface LoggerOptions {
  /** Development reads with colours and a clock, everything else is JSON. */
  readonly env: Environment;
  readonly level?: LogLevel;
  readonly output?: Output;
}

let hasWarned = false;

/** @throws ServiceError INVALID_CONFIGURATION for a level that does not exist */
export function createLogger({ env, level = 'info', output = standardOutput() }: LoggerOptions): Logger {
  if (!LOG_LEVELS.includes(level)) {
    throw errors.invalidConfiguration([
      { name: 'LOG_LEVEL', expected: VARIABLES.logLevel.expected, got: level },
    ]);
  }
  const { stream: sink, warning } =
    env === 'development' ? readable(output) : { stream: output, warning: undefined };
  // Followers of the log get JSON, whatever is written.
  const stream = copied(sink);
  const base = { pid: process.pid, hostname: hostname(), env };
  const logger = pino({ level, base, formatters: { log }, ...SAFE_LINES }, stream);
  guardChildren(logger);
  // Preloaded code may add fields of its own to every line (trace ids): then pino writes them all.
  if (!isPreloaded()) directLines.set(logger, { output: stream, fields: JSON.stringify(base).slice(1, -1) });
  output.onLost?.((count, reason) => runOutsideRequests(() => logger.warn(`${linesLost(count)}: ${reason}`)));
  if (warning !== undefined && !isWarned()) {
    hasWarned = true;
    logger.warn(warning);
  }
  return logger;
}

/**
 * Adds the ids of the request that runs. Not by pino's `mixin`: what is in the line already wins, such as the ids of the
 * span that OpenTelemetry has put there.
 */
function log(fields: Record<string, unknown>): Record<string, unknown> {
  const ids = requestFields();
  return ids === undefined ? fields : { ...ids, ...fields };
}

/** Once for each process, and for all workers of a native supervisor once: by the supervisor. */
const isWarned = (): boolean => hasWarned || detectSupervisor() === 'native';

/** A line whose message has these fields already: those of `http/access-log.ts`. */
const ACCESS_LINE = /"method":"([^"]*)","url":"(.*)","status":(\d+),"ms":([\d.]+),"msg":"\1 \2 \3 \4 ms/;

/** pino-pretty in this process: as a transport it would write past `process.stdout`, and PM2 would not see it. */
function readable(output: Output): { stream: Output; warning?: string } {
  try {
    const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
    const without = (fields: string): ((line: string) => string) => {
      const prettify = prettyFactory({
        colorize: (process.env['NO_COLOR'] ?? '') === '',
        translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
        ignore: `pid,hostname,env,trace_id,span_id${fields}`,
        singleLine: true,
      });
      return line => prettify(line) ?? line;
    };
    const [all, access] = [without(''), without(',method,url,status,ms')];
    const readably = (line: string): string => (ACCESS_LINE.test(line) ? access : all)(line);
    return {
      stream: {
        ...output,
        write: line => output.write(readably(line)),
        writeSoon: line => output.writeSoon(readably(line)),
      },
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return {
      stream: output,
      warning: 'pino-pretty is not installed, so development logs are JSON; "yarn install" brings it',
    };
  }
}

/** Where a logger's lines go, and the JSON of the fields that all of them carry. */
export interface DirectLines {
  readonly output: Output;
  readonly fields: string;
}

const directLines = new WeakMap<Logger, DirectLines>();

/**
 * What it takes to write a line of this logger without pino (`http/access-log.ts` does, for speed).
 * @returns `undefined` for any logger but those that {@link createLogger} has made as they are: children, wrapped ones
 */
export const directLinesOf = (logger: Logger): DirectLines | undefined => directLines.get(logger);

/**
 * The logger of this process, by NODE_ENV and LOG_LEVEL. A value that cannot be used counts as not set here: worker and
 * supervisor report it with everything else that is wrong, and exit with 5.
 */
export const logger: Logger = fromEnvironment();

function fromEnvironment(): Logger {
  const { nodeEnv, logLevel } = ownConfig().values;
  return createLogger({ env: nodeEnv, level: logLevel });
}
