/** `yarn docs`: writes the README's table of variables and `.env.example`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './support/processes.js';
import { envExample, TABLE, variablesTable } from './support/settings-pages.js';

const README = join(ROOT, 'README.md');

writeFileSync(
  README,
  readFileSync(README, 'utf8').replace(TABLE, () => `${variablesTable()}\n`),
);
writeFileSync(join(ROOT, '.env.example'), envExample());
