/** Tables of samples. Pure. */
import { growth, isQuiet, ratio, ratioAtBest, summarise, type Sample, type Summary } from './rounds.js';
import type { Column, Section, SectionRow } from './section.js';

/** A Markdown table without empty rows and columns. */
export function table(section: Section, samples: readonly Sample[]): string {
  const rows = section.rows.filter(row => section.columns.some(column => cell(samples, row, column) !== ''));
  const columns = section.columns.filter(column => rows.some(row => cell(samples, row, column) !== ''));
  const isNoisy = samples.some(sample => !isQuiet(sample));
  return [
    ['', ...columns.map(({ title }) => title), ...(isNoisy ? ['quiet rounds'] : [])],
    ['---', ...columns.map(() => '--:'), ...(isNoisy ? ['--:'] : [])],
    ...rows.map(row => [
      row.label,
      ...columns.map(column => cell(samples, row, column)),
      ...(isNoisy ? [quietRounds(samples, row)] : []),
    ]),
  ]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function cell(samples: readonly Sample[], row: SectionRow, column: Column): string {
  const { metric, to, of, digits = 1, brief = false, atBest = false } = column;
  const show = (summary: Summary | undefined): string =>
    summary === undefined ? '' : withRange(summary, digits, brief);
  if (row.growth === true) {
    const power = growth(samples, row.contender, metric);
    return power === undefined ? '' : withRange(power, 2, true);
  }
  const base = to ?? of;
  if (base === undefined) return show(summarise(samples, row, metric));
  const other = { contender: base, x: row.x };
  const [over, under] = to === undefined ? [other, row] : [row, other];
  if (!atBest) return show(ratio(samples, over, under, metric));
  return ratioAtBest(samples, over, under, metric)?.toFixed(digits) ?? '';
}

export function withRange({ median, min, max, rounds }: Summary, digits: number, brief: boolean): string {
  const figure = (value: number): string => grouped(value.toFixed(digits));
  if (brief || rounds === 1 || figure(min) === figure(max)) return figure(median);
  return `${figure(median)} (${figure(min)}–${figure(max)})`;
}

/** 12345.6 as 12 345.6, with non-breaking spaces. */
function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const groups = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, ' ') : whole;
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function quietRounds(samples: readonly Sample[], row: SectionRow): string {
  if (row.growth === true) return '';
  const [column] = [...new Set(samples.flatMap(({ values }) => Object.keys(values)))]
    .map(metric => summarise(samples, row, metric))
    .filter(summary => summary !== undefined);
  return column === undefined ? '' : `${column.quiet}/${column.rounds}`;
}
