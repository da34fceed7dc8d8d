/** Lines of the JSON log as the live views show them. Pure. */
import type { LogLine } from './messages.js';

const LEVELS = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
] as const satisfies readonly LogLine['level'][];

/** Longest text that is shown, in characters. */
const MAX_TEXT = 2_000;

/** Which worker wrote a line. */
export type Writer = Pick<LogLine, 'slot' | 'pid'>;

/** @param text one line of the log; what is not JSON, as a logger of the app's own may write it, is shown as it is */
export function logLineOf(text: string, { slot, pid }: Writer, now: number): LogLine {
  const { level, time, requestId, msg, err } = fieldsOf(text) ?? { msg: text };
  const said = typeof msg === 'string' ? msg : '';
  const { message } = (typeof err === 'object' && err !== null ? err : {}) as { message?: unknown };
  const isNews = typeof message === 'string' && !said.includes(message);
  const shown = isNews ? [said, message].filter(part => part !== '').join(': ') : said;
  return {
    at: typeof time === 'number' ? time : now,
    slot,
    pid,
    level: levelOf(level),
    requestId: typeof requestId === 'string' ? requestId : null,
    text: shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT - 1)}…` : shown,
  };
}

/** What a follower has not got. */
export const linesMissing = (count: number, { slot, pid }: Writer, why: string, now: number): LogLine => ({
  at: now,
  slot,
  pid,
  level: 'warn',
  requestId: null,
  text: `${count} log ${count === 1 ? 'line is' : 'lines are'} missing here: ${why}`,
});

/** pino's numbers; one of an own level counts as the next lower level. */
const levelOf = (level: unknown): LogLine['level'] =>
  typeof level === 'number'
    ? (LEVELS[Math.min(6, Math.max(1, Math.floor(level / 10))) - 1] ?? 'info')
    : 'info';

function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** @returns nothing if this is no line of {@link LogLine}s: another version of this program wrote it */
export function parseLogLine(text: string): LogLine | undefined {
  const { at, slot, pid, level, requestId, text: said } = fieldsOf(text) ?? {};
  const known = LEVELS.find(name => name === level);
  const isWhole =
    Number.isFinite(at) && Number.isInteger(slot) && Number.isInteger(pid) && typeof said === 'string';
  if (!isWhole || known === undefined) return undefined;
  return {
    at: Number(at),
    slot: Number(slot),
    pid: Number(pid),
    level: known,
    requestId: typeof requestId === 'string' ? requestId : null,
    text: said,
  };
}
