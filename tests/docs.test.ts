/** What the documentation promises and what the code does are held together. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VARIABLES } from '../src/config.js';
import { EXIT } from '../src/protocol/exit-codes.js';
import { LOG_LEVELS } from '../src/config.js';
import { ROOT } from './support/processes.js';

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const README = read('README.md');

test("the README's table of variables is the code's", () => {
  const documented = [...README.matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\| (.+?) +\|$/gm)].map(
    ([, name, fallback, purpose]) => ({ name, fallback, purpose }),
  );
  const known = Object.values(VARIABLES).map(({ name, fallback, purpose }) => ({ name, fallback, purpose }));
  expect(documented).toEqual(known);
});

test('every exit code is explained, and none that does not exist', () => {
  const [, table = ''] = /## Exit codes[\s\S]*?\| -+ \| -+ \|\n([\s\S]*?)\n\n/.exec(README) ?? [];
  expect([...table.matchAll(/^\| (\d) +\|/gm)].map(([, code]) => Number(code))).toEqual(Object.values(EXIT));
});

test('every log level is named', () => {
  expect(README).toContain(LOG_LEVELS.join(', '));
});

test('every script that the documents name exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const documents = [
    README,
    ...readdirSync(join(ROOT, 'docs'))
      .filter(name => name.endsWith('.md'))
      .map(name => read(join('docs', name))),
  ];
  const named = documents.flatMap(text =>
    [...text.matchAll(/`yarn ([a-z:]+)/g)].map(([, script]) => script ?? ''),
  );
  const builtin = new Set(['install', 'workspaces']);
  expect([...new Set(named)].filter(script => !builtin.has(script) && !(script in scripts))).toEqual([]);
});

test('every link between documents leads somewhere', () => {
  for (const name of [
    'README.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter(file => file.endsWith('.md'))
      .map(file => join('docs', file)),
  ]) {
    for (const [, target = ''] of read(name).matchAll(/\]\(((?!http)[^)#]+)/g)) {
      expect(() => readdirSync(join(ROOT, name, '..', target, '..'))).not.toThrow();
      expect(readdirSync(join(ROOT, name, '..', target, '..'))).toContain(
        target.replace(/\/$/, '').split('/').at(-1),
      );
    }
  }
});
