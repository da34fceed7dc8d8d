/** A plot as SVG, for the saved page, which runs no scripts. */
import { drawing } from './dom.js';
import { clock } from './format.js';
import { axisText, columnsOf, marksOf, reduced, sentenceOf, topOf } from './series.js';

/** @typedef {import('./series.js').Plot} Plot */

const WIDTH = 420;
const HEIGHT = 150;
const LEFT = 58;
const BOTTOM = 22;
const TOP = 8;

/** Points of a line: more than pixels are not seen. */
const POINTS = 400;

/**
 * @param {Plot} plot
 * @param {readonly import('./samples.js').Sample[]} samples
 * @param {readonly import('../messages.js').Lifecycle[]} events that get a line across the plot
 * @param {{ readonly from: number, readonly to: number }} time
 */
export function plotDrawing(plot, samples, events, { from, to }) {
  const columns = columnsOf(samples, plot, null);
  const [times, ...lines] = columns;
  const top = topOf(Math.max(0, ...lines.flat().map(Number)), plot);
  const x = (/** @type {number} */ at) => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - 4);
  const y = (/** @type {number} */ value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const label = (/** @type {Record<string, string | number>} */ at, /** @type {string} */ text) =>
    drawing('text', at, text);
  const marks = marksOf(plot, top);
  const steps = [0, 1, 2, 3, 4].map(step => from + ((to - from) * step) / 4);
  return drawing(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': sentenceOf(plot, columns, 'saved'),
      class: 'drawing',
    },
    ...marks.map(value =>
      drawing('line', { x1: LEFT, x2: WIDTH - 4, y1: y(value), y2: y(value), class: 'grid' }),
    ),
    ...marks.map(value =>
      label({ x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, axisText(plot, value)),
    ),
    ...steps.map((at, index) =>
      label(
        { x: x(at), y: HEIGHT - 6, 'text-anchor': index === 0 ? 'start' : index === 4 ? 'end' : 'middle' },
        clock(at).slice(0, 5),
      ),
    ),
    ...events.map(({ at, kind }) =>
      drawing('line', {
        x1: x(at),
        x2: x(at),
        y1: TOP,
        y2: HEIGHT - BOTTOM,
        class: 'event',
        'data-kind': kind,
      }),
    ),
    ...lines.slice(0, -1).map((values, index) =>
      drawing('path', {
        class: `line-${index + 1}`,
        d: pathOf(
          reduced(times, values, POINTS).map(({ time, value }) =>
            value === null ? null : [x(time * 1_000), y(value)],
          ),
        ),
      }),
    ),
  );
}

/** A gap ends one stroke. @param {readonly ((readonly number[]) | null)[]} points */
export function pathOf(points) {
  return points
    .map((point, index) => {
      if (point === null) return '';
      const isFirst = (points[index - 1] ?? null) === null;
      return `${isFirst ? 'M' : 'L'}${point.map(part => part.toFixed(1)).join(' ')}`;
    })
    .join('');
}
