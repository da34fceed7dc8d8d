/** A copy of the project with examples in it, built as the project builds itself. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, ROOT } from './processes.js';

const COPIED = [
  'src',
  'scripts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'ecosystem.config.js',
];

/** The two lines that add an example to the project: its import, and the list of features. */
export function addExamples(api: string, names: readonly string[]): string {
  const imports = names.map(name => `import { ${name} } from './routes/${name}.js';\n`).join('');
  return api
    .replace(
      'export const FEATURES: readonly Feature[] = [];',
      `export const FEATURES: readonly Feature[] = [${names.join(', ')}];`,
    )
    .replace(/^(?=import type \{ Feature \})/m, imports);
}

/** @returns the folder, which `cleanUp` removes */
export function exampleProject(names: readonly string[]): string {
  const at = folder();
  for (const name of COPIED) cpSync(join(ROOT, name), join(at, name), { recursive: true });
  for (const name of names) cpSync(join(ROOT, 'examples', name, 'src'), join(at, 'src'), { recursive: true });
  const api = join(at, 'src', 'api.ts');
  writeFileSync(api, addExamples(readFileSync(api, 'utf8'), names));
  symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  execFileSync(process.execPath, ['scripts/build.cjs'], {
    cwd: at,
    stdio: ['ignore', 2, 2],
  });
  return at;
}
