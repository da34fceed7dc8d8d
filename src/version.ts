import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this package, from its `package.json`; the same path from `src` and from `dist`. */
export const VERSION = (
  JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { readonly version: string }
).version;
