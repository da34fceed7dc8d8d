/** `yarn bench report`: docs/performance.md and its pictures, from the committed results and nothing else. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { draw } from './plot.js';
import { ROOT } from './processes.js';
import { kept, type Record, type Results } from './results.js';
import { NOISY_CORES } from './rounds.js';
import type { Section } from './section.js';
import { table } from './tables.js';

const DOCUMENT = join(ROOT, 'docs', 'performance.md');
const PICTURES = join(ROOT, 'docs', 'performance');

/** @throws Error if nothing has been measured */
export async function report(sections: readonly Section[]): Promise<void> {
  const all = kept();
  if (all.length === 0) throw new Error('There are no results; "yarn bench" makes them');
  const measured = sections.filter(({ name }) => all.some(results => results.sections[name] !== undefined));
  mkdirSync(PICTURES, { recursive: true });
  for (const name of readdirSync(PICTURES)) rmSync(join(PICTURES, name));
  for (const section of measured) {
    for (const plot of section.plots) {
      writeFileSync(join(PICTURES, `${plot.file}.svg`), draw(section, plot, all));
    }
  }
  writeFileSync(DOCUMENT, await formatted(document(measured, all)));
}

function document(sections: readonly Section[], all: readonly Results[]): string {
  return `# Performance

Written by \`yarn bench report\` from the figures in \`bench/results\`; nothing here is typed by hand.

${reading(all)}

${sections.map(section => chapter(section, all)).join('\n\n')}

## To measure it yourself

\`yarn bench\` takes some minutes for each Node; \`yarn bench quick\` is for a look. \`yarn bench single start\` runs two
of the sections (${sections.map(({ name }) => `\`${name}\``).join(', ')}), and \`--node PATH\`, as often as you like,
takes other Node binaries than your own. It needs Linux and \`wrk\` (\`apt-get install wrk\`), and installs the peers into
\`bench/node_modules\`, at the versions that \`bench/package-lock.json\` holds. \`yarn bench guard\` takes seconds, needs
neither, and fails if a request costs far more CPU time than it should.
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

**How to read it.** Contenders take turns, round by round, and in the other direction in every other round. A figure is the
median of the rounds, with the least and the greatest in brackets. A ratio is formed within each round, and the median of
those is given; figures of different tables, or of different versions of Node, were not measured side by side. CPU time
is that of the server's processes (\`utime + stime\` of \`/proc/PID/stat\`), and tells more than requests per second on a
machine that client and server share. Where something else used more than ${NOISY_CORES} cores during a round, the round
counts as noisy: it is left out of the median, unless there is no quiet one, and a column says how many were quiet.
Nobody is compared who does less: status, body, every header, the different ids and the log lines are checked before the
first round, and after each the lines in the log are counted against the requests.`;
}

function chapter(section: Section, all: readonly Results[]): string {
  const parts = all.flatMap(results => {
    const record = results.sections[section.name];
    return record === undefined ? [] : [`**Node ${results.node}**\n\n${table(section, record.samples)}`];
  });
  const pictures = section.plots.map(({ file, title }) => `![${title}](performance/${file}.svg)`);
  return [`## ${section.title}`, section.about, ...pictures, ...parts].join('\n\n');
}

async function formatted(text: string): Promise<string> {
  const prettier = await import('prettier');
  return prettier.format(text, { ...(await prettier.resolveConfig(DOCUMENT)), parser: 'markdown' });
}
