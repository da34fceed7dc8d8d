/** What documents contain of the code: the settings of `src/config.ts`, and the files of the examples. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VARIABLES } from '../../src/config.js';
import { ROOT } from './processes.js';

const HEAD = ['variable', 'default', 'what it does'] as const;

/** The README's table of variables, formatted as prettier does. */
export function variablesTable(): string {
  const rows = Object.values(VARIABLES).map(({ name, fallback, purpose }) => [
    `\`${name}\``,
    fallback,
    purpose,
  ]);
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map(row => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [HEAD, widths.map(width => '-'.repeat(width)), ...rows].map(line).join('\n');
}

/** Where that table is. */
export const TABLE = /^\| variable +\|[^]*?\n(?!\|)/m;

/** `.env.example`: every variable with its default. */
export function envExample(): string {
  const entries = Object.values(VARIABLES).map(
    ({ name, fallback, expected, purpose }) =>
      `# ${purpose}\n# ${expected}; default: ${fallback}\n# ${name}=\n`,
  );
  return `# Copy this file to .env, and start with: node --env-file=.env dist/cluster.js\n# Made by \`yarn docs\`.\n\n${entries.join('\n')}`;
}

/** The pages that show files of the examples. */
export const GUIDES = ['docs/add-a-resource.md', 'docs/long-answers.md', 'docs/web.md'] as const;

/** `<!-- examples/….ts -->`, and the code block behind it if there is one already. */
const EMBEDDED = /<!-- ((?:examples|tests)\/\S+\.ts) -->\n(?:\n```ts\n[^]*?\n```\n)?/g;

/** A page with each file that it names in a comment, as it is now. */
export const withFiles = (page: string): string =>
  page.replace(
    EMBEDDED,
    (_found, path: string) =>
      `<!-- ${path} -->\n\n\`\`\`ts\n${readFileSync(join(ROOT, path), 'utf8').trimEnd()}\n\`\`\`\n`,
  );
