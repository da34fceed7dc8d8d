/** `yarn docs`: writes the README's table of variables, `.env.example`, and the code that the guides show. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './support/processes.js';
import { envExample, GUIDES, TABLE, variablesTable, withFiles } from './support/generated-pages.js';

const README = join(ROOT, 'README.md');

writeFileSync(
  README,
  readFileSync(README, 'utf8').replace(TABLE, () => `${variablesTable()}\n`),
);
writeFileSync(join(ROOT, '.env.example'), envExample());
for (const name of GUIDES) {
  const path = join(ROOT, name);
  writeFileSync(path, withFiles(readFileSync(path, 'utf8')));
}
