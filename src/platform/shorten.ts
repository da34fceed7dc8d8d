/** Log lines that are too long for a pipe, made shorter so that they still are lines, and JSON where they were. */

/** What a text ends with that has been cut. */
const CUT = '…';

/** A text of so many characters at most; a cut never leaves half of a character that takes two UTF-16 units. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = length - CUT.length;
  const isHalf = /[\ud800-\udbff]/.test(text.charAt(kept - 1));
  return text.slice(0, isHalf ? kept - 1 : kept) + CUT;
}

/**
 * Parts of at most so many bytes, each of whole lines, that together say what this text says. JSON keeps its fields: its
 * long strings and lists are cut, and `"shortened":true` is added. Any other text is parted at its line ends, and a
 * line that is too long is cut.
 * @param text one or more lines, with the last line end
 * @param maxBytes at least 1,024, so that there is room for what every line carries
 */
export function fitted(text: string, maxBytes: number): string[] {
  return text
    .split(/(?<=\n)/)
    .map(line => (Buffer.byteLength(line) <= maxBytes ? line : `${shortened(line, maxBytes - 1)}\n`));
}

/** @param maxBytes without the line end */
function shortened(line: string, maxBytes: number): string {
  const fields = fieldsOf(line);
  if (fields === undefined) return longest(maxBytes, length => cutText(line.trimEnd(), length)) ?? '';
  return (
    longest(maxBytes, length => JSON.stringify({ ...fields, shortened: true }, cutTo(length))) ??
    // Thousands of fields, say.
    JSON.stringify({ ...carriedByAll(fields), shortened: true, msg: String(fields['msg']) }, cutTo(LEAST))
  );
}

/** What every line carries. A line may have fields of its own in their place: the environment as `env`, say. */
const carriedByAll = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(
    ['level', 'time', 'pid', 'hostname', 'env']
      .map(name => [name, fields[name]] as const)
      .filter(([, value]) => typeof value !== 'object'),
  );

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
    return value as Readonly<Record<string, unknown>> | undefined;
  } catch {
    return undefined;
  }
}

/** Strings are not cut to fewer characters. */
const LEAST = 64;

/** The text with the longest strings that still fits; nothing if none does. */
function longest(maxBytes: number, make: (length: number) => string): string | undefined {
  const shortest = make(LEAST);
  if (Buffer.byteLength(shortest) > maxBytes) return undefined;
  for (let length = maxBytes; length > LEAST; length = Math.floor(length * 0.8)) {
    const text = make(length);
    if (Buffer.byteLength(text) <= maxBytes) return text;
  }
  return shortest;
}

/** For `JSON.stringify`: strings of so many characters at most, and lists with one entry for 32 of them. */
const cutTo =
  (length: number) =>
  (_key: string, value: unknown): unknown => {
    if (typeof value === 'string') return cutText(value, length);
    return Array.isArray(value) ? value.slice(0, Math.ceil(length / 32)) : value;
  };
