'use strict';
/**
 * `yarn rename NAME [PORT]`: gives the project another name, and another default port, in every file that git tracks:
 * package.json, the lockfile, the app file, documents and tests.
 */
const { execFileSync } = require('node:child_process');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const LIMITS = join(ROOT, 'src', 'protocol', 'limits.ts');
const PRETTIER = join(ROOT, 'node_modules', 'prettier', 'bin', 'prettier.cjs');

/** What npm allows, without a scope: it is a file name, too. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,213}$/;

/**
 * @param {string} name
 * @param {string | undefined} port
 */
function rename(name, port) {
  const { name: oldName } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const oldPort = /\bport: ([\d_]+),/.exec(readFileSync(LIMITS, 'utf8'))?.[1] ?? '';
  const changed = trackedFiles().filter(path =>
    edit(path, text => {
      const renamed = text.replaceAll(new RegExp(`(?<![\\w-])${escaped(oldName)}(?![\\w])`, 'g'), name);
      if (port === undefined) return renamed;
      if (path === LIMITS) return renamed.replace(`port: ${oldPort},`, `port: ${port},`);
      const isAboutIt =
        /(?:\.(?:md|example|json|ya?ml|socket)|Dockerfile|healthcheck\.cjs)$/.test(path) &&
        !path.endsWith('lock.json');
      return isAboutIt
        ? renamed.replaceAll(new RegExp(`\\b${oldPort.replace('_', '')}\\b`, 'g'), port)
        : renamed;
    }),
  );
  // Tables have other widths now.
  const formatted = changed.filter(path => /\.(?:md|ts|cjs|js)$/.test(path));
  if (existsSync(PRETTIER) && formatted.length > 0)
    execFileSync(process.execPath, [PRETTIER, '--log-level=warn', '--write', ...formatted], { cwd: ROOT });
  process.stdout.write(`${oldName} is ${name} now, in ${changed.length} files; see git diff\n`);
}

const trackedFiles = () =>
  execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter(path => path !== '')
    .map(path => join(ROOT, path))
    .filter(path => existsSync(path));

/**
 * @param {string} path
 * @param {(text: string) => string} change
 * @returns {boolean} whether the file has changed
 */
function edit(path, change) {
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  if (changed === text) return false;
  writeFileSync(path, changed);
  return true;
}

/** @param {string} text */
const escaped = text => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const [name = '', port, ...rest] = process.argv.slice(2);
if (!NAME.test(name) || !/^\d{1,5}$/.test(port ?? '1') || rest.length > 0) {
  process.stderr.write(
    'Usage: yarn rename NAME [PORT]; a name has lower-case letters, digits, ".", "_" and "-"\n',
  );
  process.exit(2);
}
rename(name, port);
