'use strict';
/**
 * Lets Jest run the examples where they are: a file of `examples/NAME` finds the files of the project as if it were in
 * their place, as TypeScript does by `rootDirs`.
 */
const { dirname, join, relative, resolve, sep } = require('node:path');

const ROOT = join(__dirname, '..');

/**
 * @param {string} path
 * @param {{ basedir: string, defaultResolver(path: string, options: object): string }} options
 */
module.exports = (path, options) => {
  const { basedir, defaultResolver } = options;
  try {
    return defaultResolver(path, options);
  } catch (error) {
    const [folder, , ...rest] = relative(ROOT, resolve(basedir, path)).split(sep);
    if (folder !== 'examples' || !path.startsWith('.')) throw error;
    const inProject = join(ROOT, ...rest);
    return defaultResolver(inProject, { ...options, basedir: dirname(inProject) });
  }
};
