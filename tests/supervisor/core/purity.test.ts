/** The lint rule that keeps the core pure: what it allows, and what it refuses. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder, ROOT } from '../../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const OXLINT = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');

/** What the project's lint rules report about these files of `src/supervisor`. */
function lint(programs: Readonly<Record<string, string>>): Promise<string> {
  const at = folder();
  mkdirSync(join(at, 'src', 'supervisor', 'core'), { recursive: true });
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(at, '.oxlintrc.json'));
  for (const [name, program] of Object.entries(programs))
    writeFileSync(join(at, 'src', 'supervisor', `${name}.ts`), program);
  return new Promise(resolve => {
    execFile(process.execPath, [OXLINT, '--format', 'unix'], { cwd: at }, (_error, output) =>
      resolve(output),
    );
  });
}

test('files of the core may import each other', async () => {
  const report = await lint({
    'core/step': "export * from './model.js';\n",
    'core/model': "export type { Any } from './step.js';\n",
  });
  expect(report).not.toContain('is restricted');
});

test('files of the core may import nothing else; the rest of the supervisor may', async () => {
  const others = [
    '../processes/workers.js',
    './model/hidden.js',
    '../../errors.js',
    'node:fs',
    'fs',
    'fast-check',
  ];
  const program = others.map(name => `export * from '${name}';\n`).join('');
  const report = await lint({ 'core/step': program });
  for (const name of others) expect(report).toContain(`'${name}' import is restricted`);
  expect(await lint({ signals: program })).toBe('');
});

test('the core uses no clock, no randomness and no process', async () => {
  const globals = ['Date', 'performance', 'process', 'crypto', 'setTimeout', 'require', 'globalThis'];
  const report = await lint({ 'core/step': `export const all = [Math.random(), ${globals.join()}];\n` });
  for (const name of globals) expect(report).toContain(`Unexpected use of '${name}'`);
  expect(report).toContain("'Math.random' is restricted");
});
