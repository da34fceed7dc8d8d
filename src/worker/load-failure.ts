import { EXIT } from '../protocol/exit-codes.js';
import { errorLine, errorRecord, stackText } from '../logging/loggable.js';

/** How long a supervisor that does not read may delay the exit. */
const REPORT_MS = 1_000;

/**
 * Ends a worker whose modules could not be loaded (one is missing, or throws at its top level) with a fatal line that
 * has the stack, and exit code 1. Left to Node, it would be on standard error as it is, and under PM2 in no log at all.
 */
export function failToLoad(error: unknown): void {
  const message = `Worker ${process.pid} could not load its program: ${errorLine(error)}`;
  writeLine(error, message);
  const exit = (): void => process.exit(EXIT.internal);
  if (process.send === undefined) return exit();
  setTimeout(exit, REPORT_MS);
  process.send({ type: 'cabe:boot-failed', code: EXIT.internal, message }, exit);
}

/** The logger may be what cannot be loaded. */
function writeLine(error: unknown, message: string): void {
  try {
    const { logger } = require('../utils/logger.js') as typeof import('../utils/logger.js');
    logger.fatal({ err: errorRecord(error) }, message);
  } catch {
    process.stderr.write(`${message}\n${stackText(error)}\n`);
  }
}
