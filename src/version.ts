import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Name and version of this package, from its `package.json`; the same path from `src` and from `dist`. */
export const { name: NAME, version: VERSION } = JSON.parse(
  readFileSync(join(__dirname, '..', 'package.json'), 'utf8'),
) as { readonly name: string; readonly version: string };
