/** The plots of the service, drawn by uPlot, with the lifecycle events as lines across them. */
import { element, setText } from './dom.js';
import { clock, known } from './format.js';
import { isAcross } from './events.js';
import { axisText, columnsOf, marksOf, PLOTS, sentenceOf, topOf } from './series.js';

/** @typedef {import('./series.js').Plot} Plot */
/** @typedef {import('./series.js').Columns} Columns */
/** @typedef {import('../messages.js').Lifecycle} Lifecycle */
/** @typedef {{ readonly samples: readonly import('./samples.js').Sample[], readonly events: readonly Lifecycle[], readonly from: number, readonly to: number, readonly slot: number | null, readonly span: string }} Shown */
/** @typedef {ReturnType<typeof colours>} Palette */
/** What a plot shows now. @typedef {{ shown: Shown | undefined, top: number, columns: Columns }} Current */

const { uPlot } = /** @type {{ uPlot: typeof import('uplot') }} */ (/** @type {unknown} */ (globalThis));

const HEIGHT = 132;

/** How often the sentence that stands for a plot is renewed, in ms. */
const SENTENCE_MS = 10_000;

/** Colours of the style sheet, which knows dark and light. @param {string} name */
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const colours = () => ({
  first: colour('--line-1'),
  fill: colour('--line-1-fill'),
  second: colour('--line-2'),
  slot: colour('--line-slot'),
  grid: colour('--grid'),
  text: colour('--faint'),
  event: colour('--line-event'),
  bad: colour('--bad'),
});

/** @param {HTMLElement} parent */
export function createPlots(parent) {
  let palette = colours();
  const plots = PLOTS.map(plot => createPlot(parent, plot, () => palette));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    palette = colours();
    for (const { redraw } of plots) redraw();
  });
  new ResizeObserver(() => {
    for (const { resize } of plots) resize();
  }).observe(parent);
  return {
    /** @param {Shown} shown */
    show(shown) {
      for (const plot of plots) plot.show(shown);
    },
  };
}

/** @param {HTMLElement} parent @param {Plot} plot @param {() => Palette} palette */
function createPlot(parent, plot, palette) {
  const { figure, value, canvas } = figureOf(plot);
  parent.append(figure);

  /** @type {Shown | undefined} */
  let shown;
  /** @type {Columns} */
  let columns = [[]];
  let top = plot.least ?? 1;
  let spoken = { at: 0, span: '' };
  const width = () => Math.max(120, Math.floor(canvas.clientWidth));

  const chart = new uPlot(
    optionsOf(plot, width(), palette, () => ({ shown, top, columns }), showValue),
    /** @type {import('uplot').AlignedData} */ ([[], ...plot.lines.map(() => []), []]),
    canvas,
  );

  /** Where the pointer is, or else now. */
  function showValue() {
    const index = chart.cursor?.idx ?? columns[0].length - 1;
    setText(value, known(columns[1]?.[index], plot.text));
    const isPointed = typeof chart.cursor?.idx === 'number';
    figure.classList.toggle('pointed', isPointed);
    const time = columns[0][index];
    value.title = isPointed && time !== undefined ? clock(time * 1_000) : '';
  }

  return {
    resize: () => chart.setSize({ width: width(), height: HEIGHT }),
    redraw: () => chart.redraw(false, true),
    /** @param {Shown} next */
    show(next) {
      shown = next;
      columns = columnsOf(next.samples, plot, next.slot);
      const [, ...lines] = columns;
      top = topOf(Math.max(0, ...lines.map(line => Math.max(0, ...line.map(Number)))), plot);
      chart.batch(() => {
        chart.setData(columns, false);
        chart.setScale('x', { min: next.from / 1_000, max: next.to / 1_000 });
        chart.setScale('y', { min: 0, max: top });
      });
      showValue();
      if (next.to - spoken.at < SENTENCE_MS && next.span === spoken.span) return;
      spoken = { at: next.to, span: next.span };
      canvas.setAttribute('aria-label', sentenceOf(plot, columns, next.span));
    },
  };
}

/** @param {Plot} plot */
function figureOf(plot) {
  const title = element('span', { class: 'name' }, plot.title);
  const value = element('span', { class: 'value' });
  const labels = element('span', { class: 'labels', 'aria-hidden': 'true' });
  plot.lines.forEach(({ label }, index) =>
    labels.append(element('span', { 'data-line': String(index + 1) }, label), ' '),
  );
  const canvas = element('div', { class: 'canvas', role: 'img', 'aria-label': plot.title });
  const figure = element(
    'figure',
    { id: `plot-${plot.id}` },
    element('figcaption', {}, title, value, labels),
    canvas,
  );
  return { figure, value, canvas };
}

/**
 * @param {Plot} plot
 * @param {number} width
 * @param {() => Palette} palette
 * @param {() => Current} current
 * @param {() => void} pointed
 * @returns {import('uplot').Options}
 */
const optionsOf = (plot, width, palette, current, pointed) => ({
  width,
  height: HEIGHT,
  legend: { show: false },
  padding: [8, 18, 0, 0],
  cursor: {
    y: false,
    drag: { x: false, y: false },
    points: { size: 6 },
    sync: { key: 'plots' },
  },
  scales: { x: { time: true, auto: false }, y: { auto: false } },
  series: seriesOf(plot, palette),
  axes: axesOf(plot, palette, current),
  hooks: {
    setCursor: [pointed],
    drawClear: [(/** @type {import('uplot')} */ chart) => drawEvents(chart, current().shown, palette())],
  },
});

/** Time, the first line, the others, and the line of one slot. @param {Plot} plot @param {() => Palette} palette */
function seriesOf(plot, palette) {
  const steps = plot.figure === null ? { paths: uPlot.paths.stepped?.({ align: 1 }) } : {};
  const points = { show: false };
  const first = { stroke: () => palette().first, fill: () => palette().fill, width: 1.5, points, ...steps };
  const other = { stroke: () => palette().second, width: 1, dash: [3, 3], points, ...steps };
  const slot = { stroke: () => palette().slot, width: 1.5, points };
  return [{}, first, ...plot.lines.slice(1).map(() => other), slot];
}

/** @param {Plot} plot @param {() => Palette} palette @param {() => Current} current */
function axesOf(plot, palette, current) {
  const axis = {
    stroke: () => palette().text,
    font: '11px system-ui, sans-serif',
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: false },
  };
  const time = {
    ...axis,
    size: 24,
    gap: 4,
    space: 60,
    values: (/** @type {unknown} */ _self, /** @type {number[]} */ times) =>
      times.map(moment => clock(moment * 1_000).slice(0, timeDigits(current().shown))),
  };
  const value = {
    ...axis,
    size: 58,
    gap: 6,
    splits: () => marksOf(plot, current().top),
    values: (/** @type {unknown} */ _self, /** @type {number[]} */ values) =>
      values.map(mark => axisText(plot, mark)),
  };
  return [time, value];
}

/** Seconds matter only in a short span. @param {Shown | undefined} shown */
const timeDigits = shown => (shown !== undefined && shown.to - shown.from <= 150_000 ? 8 : 5);

/** @param {import('uplot')} chart @param {Shown | undefined} shown @param {Palette} palette */
function drawEvents({ ctx, bbox, valToPos }, shown, palette) {
  if (shown === undefined) return;
  ctx.save();
  ctx.lineWidth = Math.max(1, devicePixelRatio);
  for (const event of shown.events) {
    const { at, kind } = event;
    if (!isAcross(event) || at < shown.from || at > shown.to) continue;
    const x = Math.round(valToPos(at / 1_000, 'x', true));
    ctx.strokeStyle = kind === 'crash' || kind === 'hang' ? palette.bad : palette.event;
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
