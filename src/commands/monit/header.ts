/** The top of the screen: the state of the service in one line, and why it is so. Pure. */
import type { LiveWorker, Moment } from '../../live/messages.js';
import { lineWidth, styleOf, type Line } from './paint.js';
import { newest, type Data, type State } from './state.js';
import { safe, timeText } from './text.js';

export function headline(state: State, data: Data): Line {
  const moment = newest(data);
  const { app, supervisedBy, state: word, served, wanted } = moment;
  const { lost } = data;
  const style = lost === undefined ? styleOf(word) : 'bad';
  const mark = style === 'good' ? '✓' : style === 'passing' ? '…' : '✗';
  const what =
    lost === undefined
      ? `${word}${reloadText(moment)}: ${served} of ${wanted} workers serve`
      : `gone since ${timeText(lost.since)}, trying again: ${lost.reason}`;
  const left: Line = [[safe(`${mark} ${app} ${what}`), style]];
  const by = supervisedBy === 'pm2' ? 'PM2' : `generation ${generationOf(moment) ?? '-'}`;
  const paused = state.frozen === undefined ? '' : 'paused  ';
  const clock = timeText(lost?.now ?? moment.at);
  const right: Line = [
    [paused, 'passing'],
    [`${by}  ${clock}`, 'dim'],
  ];
  const space = state.size.columns - lineWidth(left) - lineWidth(right);
  return space < 2 ? left : [...left, [' '.repeat(space), 'plain'], ...right];
}

const generationOf = ({ workers }: Moment): number | undefined => {
  const known = workers.flatMap(({ generation }) => generation ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** How far a reload is: slots whose worker of the newest generation serves. */
function reloadText(moment: Moment): string {
  if (moment.state !== 'reloading') return '';
  const generation = generationOf(moment);
  const isNew = (worker: LiveWorker): boolean => worker.state === 'ready' && worker.generation === generation;
  const slots = new Set(moment.workers.filter(isNew).map(({ slot }) => slot));
  // Before the first successor is there, all are of the same generation.
  const hasBegun = new Set(moment.workers.map(worker => worker.generation)).size > 1;
  return `, ${hasBegun ? slots.size : 0} of ${moment.wanted} replaced`;
}

export function whyLines({ why }: Moment, rows: number): Line[] {
  const others = why.length - rows;
  return why.slice(0, rows).map((text, index) => {
    const more = index === rows - 1 && others > 0 ? ` (and ${others} more)` : '';
    return [
      ['  why: ', 'dim'],
      [safe(text) + more, 'plain'],
    ];
  });
}
