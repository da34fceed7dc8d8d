/** The end of the log. Pure. */
import type { LogLine } from '../../live/messages.js';
import type { Layout } from './layout.js';
import type { Line, Style } from './paint.js';
import { isProblem, newest, type Data, type State } from './state.js';
import { padEnd, padStart, safe, timeText } from './text.js';

const LEVEL_STYLES: Readonly<Record<LogLine['level'], Style>> = {
  trace: 'dim',
  debug: 'dim',
  info: 'dim',
  warn: 'passing',
  error: 'bad',
  fatal: 'bad',
};

export function logLines(state: State, data: Data, layout: Layout): Line[] {
  const { log: rows } = layout;
  if (rows === 0) return [];
  const lines = state.isErrorsFirst ? errorsFirst(data, rows - 1) : data.lines.slice(-Math.max(1, rows - 1));
  const body: Line[] =
    lines.length === 0
      ? [[['  nothing has been logged since this view was opened', 'dim']]]
      : lines.map(logLine);
  return [separator(state, data, layout), ...body.slice(0, rows - 1)];
}

const SEVERITY: Readonly<Record<string, number>> = { fatal: 2, error: 2, warn: 1 };

/** Errors, then warnings, then the rest: the newest of each first. */
function errorsFirst({ lines, problems }: Data, count: number): LogLine[] {
  const severity = ({ level }: LogLine): number => SEVERITY[level] ?? 0;
  return [...problems, ...lines.filter(line => !isProblem(line))]
    .toReversed()
    .toSorted((one, other) => severity(other) - severity(one))
    .slice(0, count);
}

function separator(state: State, data: Data, { table, firstWorker: first }: Layout): Line {
  const all = newest(data).workers.length;
  const rows = table - 1;
  const parts = [
    ...(rows < all && rows > 0 ? [`workers ${first + 1} to ${first + rows} of ${all}`] : []),
    ...(state.sort === 'slot' ? [] : [`sorted by ${state.sort}`]),
    state.isErrorsFirst ? 'log, errors first' : 'log',
  ];
  const text = `── ${parts.join(' ── ')} `;
  return [[text + '─'.repeat(Math.max(0, state.size.columns - text.length)), 'dim']];
}

function logLine({ at, slot, level, text }: LogLine): Line {
  const style = LEVEL_STYLES[level];
  return [
    [`${timeText(at)} ${padStart(String(slot), 3)} `, 'dim'],
    [`${padEnd(level, 5)} `, style],
    [safe(text), level === 'error' || level === 'fatal' ? 'strong' : 'plain'],
  ];
}
