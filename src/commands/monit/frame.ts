/** The screen of `monit` as lines of text. Pure. */
import { footer, noticeParts } from './footer.js';
import { headline, whyLines } from './header.js';
import { helpLines } from './help.js';
import { layoutOf } from './layout.js';
import { logLines } from './log.js';
import { painted, type Line, type Paint } from './paint.js';
import { newest, shown, type State } from './state.js';
import { tableLines } from './table.js';
import { trendLines } from './trends.js';

/** @returns a line for each row of the screen, none wider than it */
export function frame(state: State, paint: Paint): string[] {
  const { columns, rows } = state.size;
  const layout = layoutOf(state);
  const data = shown(state);
  const lines: Line[] = [
    headline(state, data),
    ...whyLines(newest(data), layout.why),
    ...trendLines(data, layout.trends, columns),
    ...Array.from({ length: layout.gap }, (): Line => []),
  ];
  const end = [...noticeParts(state), footer(state)];
  const body = state.isHelp
    ? helpLines(columns)
    : [...tableLines(state, data, layout), ...logLines(state, data, layout)];
  const room = Math.max(0, rows - lines.length - end.length);
  const all = [...lines, ...filled(body, room), ...end].slice(-rows);
  return all.map(line => painted(line, columns, paint));
}

const filled = (lines: readonly Line[], count: number): Line[] =>
  Array.from({ length: count }, (_, index) => lines[index] ?? []);
