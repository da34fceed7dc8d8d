/** Draws samples as SVG with Apache ECharts, without a browser. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ROOT } from './processes.js';
import { summarise, type Row, type Summary } from './rounds.js';
import type { Results } from './results.js';
import type { Plot, Section } from './section.js';

/** The part of ECharts that is used here. ECharts is a dependency of the bench only, so its own types are not available. */
interface ECharts {
  init(
    dom: null,
    theme: null,
    options: { renderer: 'svg'; ssr: true; width: number; height: number },
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
}

/** The API for a custom series. */
interface Drawing {
  value(dimension: number): number;
  coord(point: readonly number[]): [number, number];
  barLayout(options: object): { readonly offsetCenter: number }[];
}

const COLOURS = ['#5470c6', '#ee8a3c', '#3a9a6b', '#b14a6b', '#7a6ac6', '#8a8a3c'];
const WIDTH = 900;
const MARGINS = { left: 64, right: 16 };
const PANEL_GAP = 20;
const BAR_GAPS = { barGap: '12%', barCategoryGap: '28%' };

interface Series {
  readonly name: string;
  readonly summaries: readonly (Summary | undefined)[];
}

export function draw(section: Section, plot: Plot, all: readonly Results[]): string {
  const option = optionOf(section, plot, all);
  const echarts = require(join(ROOT, 'bench', 'node_modules', 'echarts')) as ECharts;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: option.height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    color: COLOURS,
    title: { text: plot.title, subtext: 'median; whiskers from minimum to maximum', left: 12, top: 8 },
    // Wide gaps, for fonts that are wider than ECharts assumes.
    legend: { top: 14, right: 40, orient: option.legend, itemGap: option.legend === 'horizontal' ? 36 : 8 },
    ...option.chart,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n<!-- figures: ${digestOf(section, plot, all)} -->\n`;
}

/** A digest of the input of a picture: it shows, without drawing again, whether a picture agrees with the results. */
export function digestOf(section: Section, plot: Plot, all: readonly Results[]): string {
  const drawn = JSON.stringify([plot, optionOf(section, plot, all)]);
  return createHash('sha256').update(drawn).digest('hex').slice(0, 16);
}

/** The digest in a picture. */
export const figuresOf = (svg: string): string | undefined => /<!-- figures: (\w+) -->/.exec(svg)?.[1];

const optionOf = (section: Section, plot: Plot, all: readonly Results[]): Option =>
  plot.over === undefined ? bars(section, plot, all) : lines(section, plot, all);

interface Option {
  readonly height: number;
  readonly legend: 'horizontal' | 'vertical';
  readonly chart: object;
}

/** A group of bars for each row, in it a bar for each version of Node. */
function bars(section: Section, { metric, unit, at }: Plot, all: readonly Results[]): Option {
  const measured = section.rows.filter(
    row => (at === undefined || row.x === at) && all.some(results => find(section, results, row, metric)),
  );
  const series = all.map(results => ({
    name: `Node ${results.node}`,
    summaries: measured.map(row => find(section, results, row, metric)),
  }));
  return {
    height: 112 + measured.length * (14 + 16 * series.length),
    legend: 'horizontal',
    chart: {
      grid: { left: 290, right: 40, top: 64, bottom: 48 },
      xAxis: { type: 'value', name: unit, nameLocation: 'middle', nameGap: 28 },
      yAxis: {
        type: 'category',
        inverse: true,
        data: measured.map(({ label }) => label),
        axisTick: { show: false },
        axisLabel: { width: 250, overflow: 'break', lineHeight: 14 },
      },
      series: [
        ...series.map(({ name, summaries }) => ({
          type: 'bar',
          name,
          ...BAR_GAPS,
          data: summaries.map(summary => summary?.median ?? null),
        })),
        ...series.map((each, index) => ({
          ...whiskers(each),
          renderItem(_params: unknown, drawing: Drawing) {
            const layout = drawing.barLayout({ ...BAR_GAPS, count: series.length })[index];
            const [from, y] = drawing.coord([drawing.value(1), drawing.value(0)]);
            const [to] = drawing.coord([drawing.value(2), drawing.value(0)]);
            return whisker('horizontal', from, to, y + (layout?.offsetCenter ?? 0));
          },
          encode: { y: 0, x: [1, 2] },
        })),
      ],
    },
  };
}

/** A line over `x` for one contender on one version of Node. */
interface Line extends Series {
  readonly contender: string;
  readonly node: string;
  readonly colour: string | undefined;
}

/** A panel for each version of Node, all with the same scale; in it a line for each contender. */
function lines(section: Section, plot: Plot, all: readonly Results[]): Option {
  const steps = [...new Set(section.rows.flatMap(({ x }) => x ?? []))].toSorted((a, b) => a - b);
  const drawn = linesOf(section, plot, all, steps);
  const panels = [...new Set(drawn.map(({ node }) => node))];
  const top = 92 + 22 * new Set(drawn.map(({ name }) => name)).size;
  return {
    height: top + 300,
    legend: 'vertical',
    chart: {
      ...panelAxes(panels, plot, steps, drawn, top),
      series: [
        ...drawn.map(({ name, summaries, colour, node }) => ({
          ...inPanel(panels, node),
          type: 'line',
          name,
          itemStyle: { color: colour },
          data: summaries.map(summary => summary?.median ?? null),
        })),
        ...drawn.map(each => ({
          ...inPanel(panels, each.node),
          ...whiskers(each),
          renderItem(_params: unknown, drawing: Drawing) {
            const [x, from] = drawing.coord([drawing.value(0), drawing.value(1)]);
            const [, to] = drawing.coord([drawing.value(0), drawing.value(2)]);
            return whisker('vertical', from, to, x);
          },
          encode: { x: 0, y: [1, 2] },
        })),
      ],
    },
  };
}

/** The lines that have at least one figure. */
function linesOf(
  section: Section,
  { metric, only }: Plot,
  all: readonly Results[],
  steps: readonly number[],
): Line[] {
  const contenders = [...new Set(section.rows.map(({ contender }) => contender))].filter(
    name => only?.includes(name) ?? true,
  );
  return all
    .flatMap(results =>
      contenders.map((contender, index) => ({
        contender,
        node: results.node,
        name: labelOf(section, contender),
        colour: COLOURS[index % COLOURS.length],
        summaries: steps.map(x => find(section, results, { contender, x }, metric)),
      })),
    )
    .filter(({ summaries }) => summaries.some(summary => summary !== undefined));
}

const inPanel = (panels: readonly string[], node: string): object => {
  const panel = panels.indexOf(node);
  return { xAxisIndex: panel, yAxisIndex: panel };
};

/** Position and axes of the panels. */
function panelAxes(
  panels: readonly string[],
  { unit, over = '' }: Plot,
  steps: readonly number[],
  drawn: readonly Line[],
  top: number,
): object {
  const width = (WIDTH - MARGINS.left - MARGINS.right) / Math.max(panels.length, 1);
  const max = roundedUp(
    Math.max(0, ...drawn.flatMap(({ summaries }) => summaries.map(summary => summary?.max ?? 0))),
  );
  return {
    grid: panels.map((_node, panel) => ({
      left: MARGINS.left + panel * width,
      width: width - PANEL_GAP,
      top,
      bottom: 48,
    })),
    xAxis: panels.map((node, gridIndex) => ({
      gridIndex,
      type: 'category',
      name: `${over}, Node ${node}`,
      nameLocation: 'middle',
      nameGap: 28,
      data: steps.map(String),
    })),
    yAxis: panels.map((_node, gridIndex) => ({
      gridIndex,
      type: 'value',
      name: gridIndex === 0 ? unit : '',
      nameTextStyle: { align: 'left' },
      min: 0,
      max,
      axisLabel: { show: gridIndex === 0 },
    })),
  };
}

/** The end of an axis: the lowest of 1, 1.5, 2, 3 … 10, 15, 20, 30 … that is not below the value. */
function roundedUp(value: number): number {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  const times = value / unit;
  return unit * (times <= 1.5 && times > 1 ? 1.5 : Math.ceil(times));
}

const labelOf = (section: Section, contender: string): string =>
  section.rows.find(row => row.contender === contender)?.label.replace(/, \d+( workers?| slots?)?$/, '') ??
  contender;

function find(section: Section, results: Results, row: Row, metric: string): Summary | undefined {
  return summarise(results.sections[section.name]?.samples ?? [], row, metric);
}

/** A custom series, from minimum to maximum. */
const whiskers = ({ summaries }: Series): object => ({
  type: 'custom',
  silent: true,
  z: 10,
  data: summaries.flatMap((summary, index) =>
    summary === undefined ? [] : [[index, summary.min, summary.max]],
  ),
});

const CAP = 3;

/** A line between two ends on one axis, at a place on the other, with caps. */
function whisker(way: 'horizontal' | 'vertical', from: number, to: number, at: number): object {
  const line = (x1: number, y1: number, x2: number, y2: number): object => ({
    type: 'line',
    shape: way === 'horizontal' ? { x1, y1, x2, y2 } : { x1: y1, y1: x1, x2: y2, y2: x2 },
    style: { stroke: '#222222', lineWidth: 1 },
  });
  return {
    type: 'group',
    children: [
      line(from, at, to, at),
      line(from, at - CAP, from, at + CAP),
      line(to, at - CAP, to, at + CAP),
    ],
  };
}
