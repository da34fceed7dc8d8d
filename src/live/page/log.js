/** The end of the log, bounded, and what a filter lets through. Pure. */

/** @typedef {import('../messages.js').LogLine} LogLine */

/** @type {readonly LogLine['level'][]} */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** The oldest lines beyond this number are dropped. */
export const MAX_LINES = 2_000;

/** Longest text that is kept, in characters. */
const MAX_TEXT = 4_000;

/** @param {readonly LogLine[]} lines @param {readonly LogLine[]} incoming @returns {readonly LogLine[]} */
export const appended = (lines, incoming) =>
  [...lines, ...incoming.slice(-MAX_LINES).map(cut)].slice(-MAX_LINES);

/** @param {LogLine} line @returns {LogLine} */
const cut = line =>
  line.text.length <= MAX_TEXT ? line : { ...line, text: `${line.text.slice(0, MAX_TEXT)}…` };

/** `level` is the lowest that is shown; `search` is looked for in request id and text. @typedef {{ readonly level: LogLine['level'], readonly search: string }} Filter */

/** @param {Filter} filter @returns {(line: LogLine) => boolean} */
export function matching({ level, search }) {
  const lowest = LEVELS.indexOf(level);
  const wanted = search.trim().toLowerCase();
  return line =>
    LEVELS.indexOf(line.level) >= lowest &&
    (wanted === '' ||
      (line.requestId?.toLowerCase().includes(wanted) ?? false) ||
      line.text.toLowerCase().includes(wanted));
}
