/** Sections of `docs/reliability.md` that the parts of `yarn hardening` write. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../support/processes.js';

const PAGE = join(ROOT, 'docs', 'reliability.md');

/** @throws Error if the page has no place for the section */
export async function writeSection(name: string, text: string): Promise<void> {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no ${begin} before ${end}`);
  const written = `${page.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${page.slice(to)}`;
  const options = await resolveConfig(PAGE);
  writeFileSync(PAGE, await format(written, { ...options, parser: 'markdown' }));
}
