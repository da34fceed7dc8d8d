/**
 * The line that every request gets. For our own logger it is made without pino, as the same text that
 * `logger.info({ requestId, method, url, status, ms }, msg)` writes, and lines of one turn of the event loop are
 * written together: with pino, line by line, a request takes 1.3 times the CPU time (decision 0005). Every other logger
 * gets the call.
 */
import { directLinesOf, type Logger } from '../utils/logger.js';
import { runInRequest } from '../utils/request-context.js';
import { loggedUrl } from './logged-url.js';
import type { TraceContext } from './trace-context.js';

export interface Access {
  /** Made by us, or sane: it stands in the line as it is. */
  readonly requestId: string;
  readonly trace: TraceContext | undefined;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly ms: number;
  /** The client went away before the answer was complete. */
  readonly cut: boolean;
}

/** What a text must not hold to stand between quotes as it is. */
const NEEDS_ESCAPE = /["\\\u0000-\u001f\u007f-\uffff]/;

const inner = (text: string): string => (NEEDS_ESCAPE.test(text) ? JSON.stringify(text).slice(1, -1) : text);

/** Writes access lines to where this logger writes, at its level. */
export function createAccessLog(logger: Logger): (access: Access) => void {
  const direct = directLinesOf(logger);
  const { info, error } = logger.levels.values as { readonly info: number; readonly error: number };

  return ({ cut, trace, ...fields }) => {
    const { requestId, method, status, ms } = fields;
    const { url, shortUrl, more } = loggedUrl(fields.url);
    const isFailure = status >= 500;
    const note = cut ? ' (connection lost before the answer was complete)' : '';
    if (direct === undefined) {
      // The logger adds the ids of the trace, unless an agent has added those of its own span.
      const text = `${method} ${shortUrl} ${status} ${ms} ms${note}`;
      return runInRequest({ id: requestId, trace }, () =>
        logger[isFailure ? 'error' : 'info']({ ...fields, url, ...more }, text),
      );
    }
    const level = isFailure ? error : info;
    if (level < (logger.levels.values[logger.level] ?? Infinity)) return;
    const path = inner(url);
    const shortPath = shortUrl === url ? path : inner(shortUrl);
    const extra = more.shortened ? ',"shortened":true' : '';
    const ids = trace === undefined ? '' : `"trace_id":"${trace.traceId}","span_id":"${trace.spanId}",`;
    direct.output.writeSoon(
      `{"level":${level},"time":${Date.now()},${direct.fields},"requestId":"${requestId}",${ids}"method":"${method}","url":"${path}",` +
        `"status":${status},"ms":${ms}${extra},"msg":"${method} ${shortPath} ${status} ${ms} ms${note}"}\n`,
    );
  };
}
