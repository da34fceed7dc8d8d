/** A copy of the project with the overlay in its app, built as the project builds itself. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/processes.js';

const COPIED = [
  'src',
  'scripts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'ecosystem.config.js',
];

/** Where packages come from: one that both folders have is taken from the first, which npm has made as a whole. */
const PACKAGES = [join(__dirname, 'node_modules'), join(ROOT, 'node_modules')];

export interface ProjectOptions {
  /** Whether its entry imports an agent first, then a module that logs, and hands that module's close hook to the worker. */
  readonly hooks?: boolean;
}

/** The project with the routes of the overlay in its app. @returns its folder, which the caller removes */
export function project({ hooks = false }: ProjectOptions = {}): string {
  const at = mkdtempSync(join(tmpdir(), 'cabe-ecosystem-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(at, name), { recursive: true });
  cpSync(join(__dirname, 'overlay'), join(at, 'src', 'ecosystem'), { recursive: true });
  insert(join(at, 'src', 'app.ts'), {
    anchor: /^ *app\.use\(notFound\);$/gm,
    text: found => `  app.use('/eco', ecosystem());\n${found}`,
    imported: "import { ecosystem } from './ecosystem/routes.js';",
  });
  insert(join(at, 'src', 'api.ts'), {
    anchor: /(?<=readonly Feature\[\] = )\[\]/g,
    text: () => '[crossOrigin, reports, visits, site]',
    imported: "import { crossOrigin, reports, site, visits } from './ecosystem/web.js';",
  });
  if (hooks)
    insert(join(at, 'src', 'index.ts'), {
      anchor: /\brunWorker\(\)/g,
      text: () => 'runWorker({ closeHooks })',
      imported: "import './ecosystem/agent.js';\nimport { closeHooks } from './ecosystem/hooks.js';",
    });
  for (const from of PACKAGES) link(from, join(at, 'node_modules'));
  execFileSync(process.execPath, ['scripts/build.cjs'], { cwd: at, stdio: ['ignore', 2, 2] });
  return at;
}

interface Insertion {
  readonly anchor: RegExp;
  readonly text: (found: string) => string;
  readonly imported: string;
}

function insert(file: string, { anchor, text, imported }: Insertion): void {
  const source = readFileSync(file, 'utf8');
  const found = source.match(anchor)?.length ?? 0;
  if (found !== 1)
    throw new Error(
      `the tests add to ${file} where it has ${String(anchor)}; it must have that once, not ${found} times`,
    );
  writeFileSync(file, `${imported}\n${source.replace(anchor, text)}`);
}

/** Links every package that is not there yet; the folder of a scope is made, because both may have packages of it. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (name.startsWith('@')) link(source, target);
    else if (!existsSync(target)) symlinkSync(source, target);
  }
}
