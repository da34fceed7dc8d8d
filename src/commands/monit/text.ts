/** Texts that fit a terminal, whatever is in them. Pure. */

/** What moves the cursor, changes the terminal, or reorders what stands beside it. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Characters two columns wide: East Asian wide and fullwidth ones (Unicode Standard Annex 11), and emoji. */
const WIDE =
  /[\u{1100}-\u{115F}\u{2E80}-\u{303E}\u{3041}-\u{A4CF}\u{AC00}-\u{D7A3}\u{F900}-\u{FAFF}\u{FE30}-\u{FE6F}\u{FF01}-\u{FF60}\u{FFE0}-\u{FFE6}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;

const COMBINING = /\p{M}/u;

const ASCII = /^[ -~]*$/;

/** Text of others, without a character that a terminal interprets: `\x1b` is shown as these four characters. */
export const safe = (text: string): string => text.replace(/[\t\n\r]+/g, ' ').replace(UNSAFE, escaped);

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

const widthOfCharacter = (character: string): number =>
  COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;

/** How many columns a text takes. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** The text in so many columns at most; `…` stands for what has no room. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  let [fits, width] = ['', 0];
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns - 1) break;
    fits += character;
  }
  return `${fits}…`;
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)));

export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - widthOf(text))) + text;

/** A text in lines of so many columns, broken between words; the last one is cut. */
export function wrapped(text: string, columns: number, maxLines: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= columns || line === '' || lines.length === maxLines - 1) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].map(found => cut(found, columns));
}

/** `42s`, `12m30s`, `5h02m`, `4d07h`: six columns up to 99 days. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const hours = Math.floor(seconds / 3_600);
  if (hours < 24) return `${hours}h${two(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** The local time of day, `12:30:01`. */
export const timeText = (at: number): string => {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map(part => String(part).padStart(2, '0'))
    .join(':');
};
