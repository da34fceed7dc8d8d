/** Which packages the build leaves out of the bundle. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './support/processes.js';

const { nativePackages } = require('../scripts/native-packages.cjs') as {
  readonly nativePackages: (root: string) => string[];
};

const root = mkdtempSync(join(tmpdir(), 'cabe-native-'));
afterAll(() => rmSync(root, { recursive: true }));

function install(name: string, manifest: object, file?: string): void {
  const folder = join(root, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, ...manifest }));
  if (file !== undefined) writeFileSync(join(folder, file), '');
}

test('packages with compiled code are found, as npm packages declare it', () => {
  install('better-sqlite3', { dependencies: { bindings: '1', 'prebuild-install': '7' } });
  install('argon2', { gypfile: true });
  install('bufferutil', { dependencies: { 'node-gyp-build': '4' } });
  install('@node-rs/crc32', { napi: { name: 'crc32' } });
  install('old', {}, 'binding.gyp');
  install('zod', {});
  const names = ['better-sqlite3', 'argon2', 'bufferutil', '@node-rs/crc32', 'old'];
  const dependencies = Object.fromEntries([...names, 'zod', 'not-installed'].map(name => [name, '1']));
  writeFileSync(join(root, 'package.json'), JSON.stringify({ dependencies }));
  expect(nativePackages(root)).toEqual(names);
});

test('this project has none', () => {
  expect(nativePackages(ROOT)).toEqual([]);
});
