/** `yarn bench report`: writes docs/performance.md and its pictures from the committed results. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aims } from './aims.js';
import { digestOf, draw, figuresOf } from './plot.js';
import { ROOT } from './processes.js';
import { loadAll, type Record, type Results } from './results.js';
import { NOISY_CORES } from './rounds.js';
import type { Plot, Section } from './section.js';
import { listed, summary } from './summary.js';
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
 * Checks that page and pictures agree with the results. Draws nothing: each picture contains a digest of its figures.
 * @throws Error with the files that do not agree
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
    throw new Error(
      `Not in agreement with bench/results: ${stale.join(', ')}; "yarn bench report" writes them`,
    );
  }
}

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

function committed(): Results[] {
  const all = loadAll();
  if (all.length === 0) throw new Error('There are no results; run "yarn bench" first');
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

${summary(all)}

${pictureOf(FIRST_PICTURE, measured)}

\`yarn bench\` writes this page from the figures in \`bench/results\`.

## Aims

Each cell has the median, then minimum and maximum in brackets. "Best rounds" compares the best round of each, which had
the least noise.

${aims(sections, all)}

## How it was measured

${method(all)}

${measured.map(section => sectionOf(section, all)).join('\n\n')}

## To measure it yourself

You need Linux and \`wrk\` (\`apt-get install wrk\`). The bench installs the peers into \`bench/node_modules\`, at the
versions of \`bench/package-lock.json\`.

| command | what it does |
| --- | --- |
| \`yarn bench\` | measures everything, some minutes for each Node, and writes this page |
| \`yarn bench single start\` | measures these sections; there are ${listed(sections.map(({ name }) => `\`${name}\``))} |
| \`yarn bench --node PATH\` | measures another Node binary; repeat it for more |
| \`yarn bench quick\` | few short rounds; writes nothing |
| \`yarn bench guard\` | fails if a request takes far too much CPU time; takes seconds, needs neither \`wrk\` nor peers |
| \`yarn bench report --check\` | fails if this page or a picture does not match the figures |
`;
}

function method(all: readonly Results[]): string {
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

- **Turns.** In each round every contender has one turn; the order changes in every second round. Under load each turn is a
  new launch.
- **Figures.** A figure is the median of the rounds, with minimum and maximum in brackets. A ratio compares two turns of
  one round; the page shows the median of these ratios. Do not compare figures of different tables or of different
  versions of Node: they were not measured side by side.
- **CPU time** is that of the server's processes (\`utime + stime\` of \`/proc/PID/stat\`). Client and server share the
  machine, so it says more than requests per second.
- **Noise.** A round is noisy if other processes used more than ${NOISY_CORES} cores. The median leaves noisy rounds out,
  unless all are noisy; a column counts the quiet rounds.
- **Same work.** Before the first round the bench compares status, body, headers, ids and log lines of all contenders;
  after each round it counts the log lines against the requests.`;
}

/** The picture at the top: this service beside the usual setup. */
const FIRST_PICTURE = 'pair-rps';

const imageOf = ({ file, title }: Plot): string => `![${title}](performance/${file}.svg)`;

function pictureOf(name: string, sections: readonly Section[]): string {
  const plot = sections.flatMap(({ plots }) => plots).find(({ file }) => file === name);
  return plot === undefined ? '' : imageOf(plot);
}

function sectionOf(section: Section, all: readonly Results[]): string {
  const parts = all.flatMap(results => {
    const record = results.sections[section.name];
    return record === undefined ? [] : [`**Node ${results.node}**\n\n${table(section, record.samples)}`];
  });
  const images = section.plots.map(imageOf);
  return [`## ${section.title}`, section.about, ...images, ...parts].join('\n\n');
}

async function formatted(text: string): Promise<string> {
  const prettier = await import('prettier');
  return prettier.format(text, { ...(await prettier.resolveConfig(DOCUMENT)), parser: 'markdown' });
}
