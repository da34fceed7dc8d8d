/** Colours, and lines made of coloured parts. */
import { styleText } from 'node:util';
import { cut, widthOf } from './text.js';

export type Style = 'plain' | 'dim' | 'strong' | 'good' | 'passing' | 'bad' | 'bars';

export type Paint = (text: string, style: Style) => string;

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<Exclude<Style, 'plain'>, Format>> = {
  dim: 'dim',
  strong: 'bold',
  good: 'green',
  passing: 'yellow',
  bad: ['red', 'bold'],
  bars: 'cyan',
};

export const plain: Paint = text => text;

/** Whether the terminal shows colours has been decided before. */
export const coloured: Paint = (text, style) =>
  style === 'plain' || text === '' ? text : styleText(FORMATS[style], text, { validateStream: false });

const PASSING = new Set(['starting', 'reloading', 'stopping', 'draining']);

/** Of a service or a worker. */
export const styleOf = (state: string): Style =>
  state === 'ready' ? 'good' : PASSING.has(state) ? 'passing' : 'bad';

/** A piece of a line, without control characters. */
export type Part = readonly [text: string, style: Style];

export type Line = readonly Part[];

export const lineWidth = (line: Line): number => line.reduce((sum, [text]) => sum + widthOf(text), 0);

/** The line in so many columns at most. */
export function painted(line: Line, columns: number, paint: Paint): string {
  let room = columns;
  let text = '';
  for (const [part, style] of line) {
    const fits = cut(part, room);
    text += paint(fits, style);
    room -= widthOf(fits);
    if (room <= 0 || fits !== part) break;
  }
  return text;
}
