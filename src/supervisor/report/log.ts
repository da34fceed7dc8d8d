/**
 * The supervisor's log. Its lines are those of pino to the letter, but it does without: pino takes more memory than all
 * else that the supervisor is made of (decision 0006), and a supervisor needs one kind of line. Where lines are for
 * reading, pino writes them.
 */
import { hostname } from 'node:os';
import type { Environment, LogLevel } from '../../config.js';
import { errorRecord } from '../../logging/loggable.js';
import { linesLost, standardOutput } from '../../platform/stdout.js';
import type { Line } from './narrate.js';

export interface Log {
  (line: Line): void;
  /** The last words of a supervisor that is at fault itself. */
  failure(error: unknown, msg: string): void;
}

/** pino's numbers. */
const VALUES: Readonly<Record<Exclude<LogLevel, 'silent'>, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
};

export interface LogOptions {
  readonly env: Environment;
  readonly level: LogLevel;
}

export function createLog(options: LogOptions): Log {
  const write = options.env === 'development' ? readably(options) : asJson(options);
  return Object.assign(write, {
    failure: (error: unknown, msg: string): void =>
      write({ level: 'fatal', msg }, { err: errorRecord(error) }),
  });
}

/** @param fields more of the line, as plain data */
type Write = (line: Line, fields?: object) => void;

function asJson({ env, level }: LogOptions): Write {
  const least = level === 'silent' ? Infinity : VALUES[level];
  const bindings = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())},"env":"${env}"`;
  const output = standardOutput();
  const write: Write = ({ level: its, msg }, fields = {}) => {
    const value = VALUES[its];
    if (value < least) return;
    const rest = JSON.stringify({ ...fields, msg }).slice(1);
    output.write(`{"level":${value},"time":${Date.now()},${bindings},${rest}\n`);
  };
  output.onLost?.((count, reason) => write({ level: 'warn', msg: `${linesLost(count)}: ${reason}` }));
  return write;
}

function readably(options: LogOptions): Write {
  const logger = pino(options);
  return ({ level, msg }, fields = {}) => logger[level](fields, msg);
}

/** Loaded on first use. */
function pino(options: LogOptions): import('pino').Logger {
  const { createLogger } = require('../../utils/logger.js') as typeof import('../../utils/logger.js');
  return createLogger(options);
}
