/** The aims of the service, and whether it meets them: a table over all sections and versions of Node. Pure. */
import { ratio, ratioAtBest, type Summary } from './rounds.js';
import type { Results } from './results.js';
import type { Aim, Bound, Section } from './section.js';
import { withRange } from './tables.js';

const DIGITS = 1;

/** The ratio of the requests per second of two contenders. */
export const requestsOf = (contender: string, to: string): Pick<Aim, 'measured' | 'atBest'> => ({
  measured: samples => ratio(samples, { contender }, { contender: to }, 'rps'),
  atBest: samples => ratioAtBest(samples, { contender }, { contender: to }, 'rps'),
});

export function aims(sections: readonly Section[], all: readonly Results[]): string {
  const rows = sections.flatMap(section =>
    (section.aims ?? []).map(aim => [
      aim.what,
      boundText(aim),
      ...all.map(results => cellOf(aim, section, results)),
    ]),
  );
  return [
    ['', 'aim', ...all.map(({ node }) => `Node ${node}`)],
    ['---', '--:', ...all.map(() => '--:')],
    ...rows,
  ]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function boundText({ atLeast, atMost, unit }: Aim): string {
  const sign = atLeast === undefined ? '≤' : '≥';
  const bound = atLeast ?? atMost;
  const suffix = unit === undefined ? '' : ` ${unit}`;
  if (typeof bound !== 'object') return `${sign} ${bound}${suffix}`;
  return Object.entries(bound)
    .map(([major, value]) => `${sign} ${value}${suffix} (Node ${major})`)
    .join(', ');
}

function cellOf(aim: Aim, { name }: Section, { node, sections }: Results): string {
  const found = aim.measured(sections[name]?.samples ?? []);
  if (found === undefined) return 'not measured';
  const digits = aim.digits ?? DIGITS;
  const best = aim.atBest?.(sections[name]?.samples ?? []);
  const text = `${withRange(found, digits, false)}${best === undefined ? '' : `, best rounds ${best.toFixed(digits)}`}${found.quiet === 0 ? ', noisy' : ''}`;
  const isMet = meets(aim, found, Number.parseInt(node, 10));
  return isMet === undefined ? text : `${text}, ${isMet ? 'met' : '**not met**'}`;
}

/**
 * Compares the rounded figure, as it is printed, with the bound.
 * @returns `undefined` if there is no bound for this version of Node
 */
function meets({ atLeast, atMost, digits }: Aim, { median }: Summary, major: number): boolean | undefined {
  const [least, most] = [boundOf(atLeast, major), boundOf(atMost, major)];
  if (least === undefined && most === undefined) return undefined;
  const figure = Number(median.toFixed(digits ?? DIGITS));
  return figure >= (least ?? -Infinity) && figure <= (most ?? Infinity);
}

const boundOf = (bound: Bound | undefined, major: number): number | undefined =>
  typeof bound === 'object' ? bound[major] : bound;
