/** The lint rule that keeps the core pure, held against what it must let pass and what it must not. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder, ROOT } from '../../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const OXLINT = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');

/** What the rules of this project say about programs that stand in place of some of the supervisor's files. */
function complaints(programs: Readonly<Record<string, string>>): Promise<string> {
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
  const said = await complaints({
    'core/step': "export * from './model.js';\n",
    'core/model': "export type { Any } from './step.js';\n",
  });
  expect(said).not.toContain('is restricted');
});

test('files of the core may import nothing else, the rest of the supervisor may', async () => {
  const others = [
    '../processes/workers.js',
    './model/hidden.js',
    '../../errors.js',
    'node:fs',
    'fs',
    'fast-check',
  ];
  const program = others.map(name => `export * from '${name}';\n`).join('');
  const said = await complaints({ 'core/step': program });
  for (const name of others) expect(said).toContain(`'${name}' import is restricted`);
  expect(await complaints({ signals: program })).toBe('');
});

test('the core knows no clock, no dice and no process', async () => {
  const world = ['Date', 'performance', 'process', 'crypto', 'setTimeout', 'require', 'globalThis'];
  const said = await complaints({ 'core/step': `export const all = [Math.random(), ${world.join()}];\n` });
  for (const name of world) expect(said).toContain(`Unexpected use of '${name}'`);
  expect(said).toContain("'Math.random' is restricted");
});
