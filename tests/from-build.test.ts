/** `yarn start:cluster`, `yarn cluster:status` and the like. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder, ROOT } from './support/processes.js';

afterEach(cleanUp);

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const ofTheBuild = Object.entries(scripts).filter(([name]) => /^(start:(?!pm2)|cluster:)/.test(name));

/** A project without a build, or with one whose programs print their arguments. */
function project(built: boolean): string {
  const at = folder();
  mkdirSync(join(at, 'scripts'));
  copyFileSync(join(ROOT, 'scripts', 'from-build.cjs'), join(at, 'scripts', 'from-build.cjs'));
  if (!built) return at;
  mkdirSync(join(at, 'dist'));
  for (const name of ['cluster.js', 'index.js'])
    writeFileSync(
      join(at, 'dist', name),
      'console.log(JSON.stringify(process.argv.slice(1))); process.exitCode = 4;',
    );
  return at;
}

test.each(ofTheBuild)('%s names the command that builds', (_name, script) => {
  const at = project(false);
  const { status, stderr, stdout } = spawnSync(script, { cwd: at, shell: true, encoding: 'utf8' });
  const program = script.includes('from-build.cjs index.js') ? 'index.js' : 'cluster.js';
  expect(stderr).toBe(
    `${join(at, 'dist', program)} does not exist; run "yarn build" (or "npm run build") first\n`,
  );
  expect([status, stdout]).toEqual([5, '']);
});

test.each(ofTheBuild)('%s passes on its arguments', (_name, script) => {
  const at = project(true);
  const { status, stdout } = spawnSync(`${script} --json`, { cwd: at, shell: true, encoding: 'utf8' });
  const [program = '', ...given] = script.slice(script.indexOf('.cjs ') + 5).split(' ');
  expect(JSON.parse(stdout)).toEqual([join(at, 'dist', program), ...given, '--json']);
  expect(status).toBe(4);
});
