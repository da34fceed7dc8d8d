/** `yarn bench report`: docs/performance.md and its pictures, from the committed results and nothing else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aims } from './aims.js';
import { digestOf, draw, figuresOf } from './plot.js';
import { ROOT } from './processes.js';
import { kept, type Record, type Results } from './results.js';
import { NOISY_CORES } from './rounds.js';
import type { Plot, Section } from './section.js';
import { table } from './tables.js';

const DOCUMENT = join(ROOT, 'docs', 'performance.md');
const PICTURES = join(ROOT, 'docs', 'performance');

/** @throws Error if nothing has been measured */
export async function report(sections: readonly Section[]): Promise<void> {
  const all = committed();
  mkdirSync(PICTURES, { recursive: true });
  for (const name of readdirSync(PICTURES)) rmSync(join(PICTURES, name));
  for (const { section, plot, file } of pictures(sections, all))
    writeFileSync(join(PICTURES, file), draw(section, plot, all));
  writeFileSync(DOCUMENT, await formatted(document(sections, all)));
}

/**
 * Whether the page and its pictures are those that the results give. Draws nothing: a picture carries a digest of its
 * figures.
 * @throws Error naming what is not
 */
export async function check(sections: readonly Section[]): Promise<void> {
  const all = committed();
  const wanted = pictures(sections, all);
  const stale = [
    ...(read(DOCUMENT) === (await formatted(document(sections, all))) ? [] : ['docs/performance.md']),
    ...wanted
      .filter(({ section, plot, file }) => {
        return figuresOf(read(join(PICTURES, file))) !== digestOf(section, plot, all);
      })
      .map(({ file }) => file),
    ...readdirSync(PICTURES).filter(name => !wanted.some(({ file }) => file === name)),
  ];
  if (stale.length > 0) {
    throw new Error(`Not what bench/results give: ${stale.join(', ')}; "yarn bench report" writes them`);
  }
}

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

function committed(): Results[] {
  const all = kept();
  if (all.length === 0) throw new Error('There are no results; "yarn bench" makes them');
  return all;
}

const isMeasured = ({ name }: Section, all: readonly Results[]): boolean =>
  all.some(({ sections }) => sections[name] !== undefined);

function pictures(
  sections: readonly Section[],
  all: readonly Results[],
): { readonly section: Section; readonly plot: Plot; readonly file: string }[] {
  return sections
    .filter(section => isMeasured(section, all))
    .flatMap(section => section.plots.map(plot => ({ section, plot, file: `${plot.file}.svg` })));
}

function document(sections: readonly Section[], all: readonly Results[]): string {
  const measured = sections.filter(section => isMeasured(section, all));
  return `# Performance

Written by \`yarn bench\` from the figures in \`bench/results\`; nothing here is typed by hand.

## Aims

What this service set out to reach, and the median of what was measured, with the least and the greatest in brackets;
at best is the ratio of the best rounds, which were disturbed the least.

${aims(sections, all)}

## How it was measured

${reading(all)}

${measured.map(section => chapter(section, all)).join('\n\n')}

## To measure it yourself

\`yarn bench\` takes some minutes for each Node and writes this page; \`yarn bench quick\` is for a look, and writes nothing.
Sections can be named: \`yarn bench single start\` runs only those two of ${listed(sections.map(({ name }) => `\`${name}\``))}.
\`--node PATH\`, as often as you like, takes other Node binaries than your own. It needs Linux and \`wrk\` (\`apt-get install wrk\`), and installs the peers into
\`bench/node_modules\`, at the versions that \`bench/package-lock.json\` holds. \`yarn bench guard\` takes seconds, needs
neither, and fails if a request costs far more CPU time than it should; \`yarn bench report --check\` fails if this page or a
picture is not what the figures give.
`;
}

function reading(all: readonly Results[]): string {
  const records = all.flatMap(({ sections }) => Object.values(sections));
  const distinct = (of: (record: Record) => string): string => [...new Set(records.map(of))].join('; ');
  const versions = (record: Record): string =>
    Object.entries(record.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ');
  return `|  |  |
| --- | --- |
| Machine | ${distinct(({ machine }) => machine)} |
| Node | ${all.map(({ node }) => node).join(', ')} |
| Peers | ${distinct(versions)} |
| Command | ${distinct(({ command }) => `\`${command}\``)} |
| Measured | ${[...new Set(records.map(({ at }) => at.slice(0, 10)))].toSorted().join(', ')} |

Contenders take turns, round by round, and in the other direction in every other round; under load each turn is a new
launch. A figure is the median of the rounds, with the least and the greatest in brackets. A ratio is formed within each
round, and the median of those is given; figures of different tables, or of different versions of Node, were not
measured side by side. CPU time is that of the server's processes (\`utime + stime\` of \`/proc/PID/stat\`), and tells more than requests per second on a
machine that client and server share. Where something else used more than ${NOISY_CORES} cores during a round, the round
counts as noisy: it is left out of the median, unless there is no quiet one, and a column says how many were quiet.
Nobody is compared who does less: status, body, every header, the different ids and the log lines are checked before the
first round, and after each the lines in the log are counted against the requests.`;
}

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

function chapter(section: Section, all: readonly Results[]): string {
  const parts = all.flatMap(results => {
    const record = results.sections[section.name];
    return record === undefined ? [] : [`**Node ${results.node}**\n\n${table(section, record.samples)}`];
  });
  const images = section.plots.map(({ file, title }) => `![${title}](performance/${file}.svg)`);
  return [`## ${section.title}`, section.about, ...images, ...parts].join('\n\n');
}

async function formatted(text: string): Promise<string> {
  const prettier = await import('prettier');
  return prettier.format(text, { ...(await prettier.resolveConfig(DOCUMENT)), parser: 'markdown' });
}
