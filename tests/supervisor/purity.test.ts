/** The lint rule that keeps the core pure, held against what it must let pass and what it must not. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder, ROOT } from '../support/processes.js';

afterEach(cleanUp);

const OXLINT = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');

/** The pure files as the architecture lists them: the rows above the shell's. */
const PURE = [
  ...readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8')
    .split('| **shell**')[0]!
    .matchAll(/`(\w+)\.ts`(?=[^|]* \|[^|]*\|$)/gm),
].map(([, name = '']) => name);

/** What the rules of this project say about a program that stands in place of one of the files. */
function complaints(file: string, program: string): Promise<string> {
  const at = folder();
  mkdirSync(join(at, 'src', 'supervisor'), { recursive: true });
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(at, '.oxlintrc.json'));
  writeFileSync(join(at, 'src', 'supervisor', file), program);
  return new Promise(resolve => {
    execFile(process.execPath, [OXLINT, '--format', 'unix'], { cwd: at }, (_error, output) =>
      resolve(output.replaceAll(/^.*\d+:\d+: (.*) \[.*\/.*\]$/gm, '$1')),
    );
  });
}

test('the rule is about the files that the architecture calls pure', () => {
  const rules = readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8');
  expect(rules).toContain(`"src/supervisor/{${PURE.join()}}.ts"`);
});

test('pure files may import each other', async () => {
  for (const file of PURE) {
    const others = PURE.filter(name => name !== file);
    const program = others.map(name => `import * as ${name} from './${name}.js';`).join('\n');
    expect([
      file,
      await complaints(`${file}.ts`, `${program}\nexport const all = [${others.join()}];\n`),
    ]).toEqual([file, '']);
  }
});

test('pure files may import nothing else, the rest of the supervisor may', async () => {
  const others = ['./workers.js', './model/hidden.js', '../errors.js', 'node:fs', 'fs', 'fast-check'];
  const program = others.map(name => `export * from '${name}';\n`).join('');
  const said = await complaints('step.ts', program);
  for (const name of others) expect(said).toContain(`'${name}' import is restricted`);
  expect(await complaints('signals.ts', program)).toBe('');
});

test('pure files may know no clock, no dice and no process', async () => {
  const world = ['Date', 'performance', 'process', 'crypto', 'setTimeout', 'require', 'globalThis'];
  const said = await complaints('step.ts', `export const all = [Math.random(), ${world.join()}];\n`);
  for (const name of world) expect(said).toContain(`Unexpected use of '${name}'`);
  expect(said).toContain("'Math.random' is restricted");
});
