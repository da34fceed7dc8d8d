'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/** What packages with compiled code find it with: relative to their own folder, which a bundle does not have. */
const LOADERS = [
  'bindings',
  'node-gyp-build',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
  'detect-libc',
];

/**
 * The dependencies of a project that have compiled code (better-sqlite3, argon2, sharp): they must be loaded from where
 * they are installed.
 * @param {string} root folder of the project
 * @returns {string[]}
 */
function nativePackages(root) {
  const { dependencies = {} } = readManifest(root) ?? {};
  return Object.keys(dependencies).filter(name => isNative(join(root, 'node_modules', name)));
}

/** @param {string} folder of a package */
function isNative(folder) {
  const { gypfile, napi, binary, dependencies = {} } = readManifest(folder) ?? {};
  const isDeclared = [gypfile, napi, binary].some(field => field !== undefined && field !== false);
  return isDeclared || existsSync(join(folder, 'binding.gyp')) || LOADERS.some(name => name in dependencies);
}

/**
 * @param {string} folder
 * @returns {Record<string, any> | undefined} nothing for a package that is not installed
 */
function readManifest(folder) {
  const path = join(folder, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

module.exports = { nativePackages };
