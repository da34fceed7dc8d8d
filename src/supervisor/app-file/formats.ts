/**
 * Formats of app files whose parsers are packages. The build makes a file of its own of this module, which only a
 * supervisor loads whose app file is in one of them.
 */
import type { YAMLException } from 'js-yaml';

/** JSON by Node's parser; by JSON5's only where there is more in it: comments, a byte order mark, bare names. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return (require('json5') as typeof import('json5')).parse(text);
  }
}

/**
 * By PM2's own parser.
 * @throws Error that says in one line what is wrong and where; that of the package shows the place in several
 */
export function parseYaml(text: string): unknown {
  const { load } = require('js-yaml') as typeof import('js-yaml');
  try {
    return load(text);
  } catch (error) {
    const { reason, mark } = error as YAMLException & { readonly mark?: YAMLException['mark'] };
    const place = mark === undefined ? '' : ` (line ${mark.line + 1}, column ${mark.column + 1})`;
    throw new Error(`${reason}${place}`, { cause: error });
  }
}
