/** `yarn docs:status`: brings a service into trouble, and writes what `status` says of it into docs/operations.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cleanUp } from './support/processes.js';
import { OPERATIONS, STATUS_PAGES } from './support/status-pages.js';

async function main(): Promise<void> {
  let page = readFileSync(OPERATIONS, 'utf8');
  for (const { title, show } of STATUS_PAGES) {
    const text = await show().finally(cleanUp);
    const before = page;
    if (text !== undefined) page = replaced(page, title, text);
    console.log(`${text === undefined ? '–' : page === before ? '✓' : '✎'} ${title}`);
  }
  writeFileSync(OPERATIONS, page);
}

/** The first code block behind this heading is replaced. */
function replaced(page: string, title: string, text: string): string {
  const [before = '', behind = ''] = page.split(`\n#### ${title}\n`);
  const [, intro, rest] = /^([\s\S]*?```console\n)[\s\S]*?(```[\s\S]*)$/.exec(behind) ?? [];
  if (intro === undefined || rest === undefined)
    throw new Error(`docs/operations.md has no heading "${title}" with a console block`);
  return `${before}\n#### ${title}\n${intro}${text}\n${rest}`;
}

void main();
