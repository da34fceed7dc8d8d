/** A copy of the project with examples in it, built as the project builds itself. */
import { execFileSync } from 'node:child_process';
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** `src/api.ts` with these features. */
function apiWith(names: readonly string[]): string {
  const imports = names.map(name => `import { ${name} } from './routes/${name}.js';\n`).join('');
  const list = `export const FEATURES: readonly Feature[] = [${names.join(', ')}];\n`;
  return `${imports}import type { Feature } from './features/feature.js';\n\n${list}`;
}

/** @returns the folder, which `cleanUp` removes */
export function exampleProject(names: readonly string[]): string {
  const at = folder();
  for (const name of COPIED) cpSync(join(ROOT, name), join(at, name), { recursive: true });
  for (const name of names) cpSync(join(ROOT, 'examples', name, 'src'), join(at, 'src'), { recursive: true });
  writeFileSync(join(at, 'src', 'api.ts'), apiWith(names));
  symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  execFileSync(process.execPath, ['scripts/build.cjs'], {
    cwd: at,
    stdio: ['ignore', 2, 2],
  });
  return at;
}
