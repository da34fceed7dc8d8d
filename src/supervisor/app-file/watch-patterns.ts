/**
 * `watch` and `ignore_watch`, with the meaning they have under PM2 7. Its chokidar 3 has globs, ours has none: it is
 * given folders, and asks this file which of their contents are meant.
 */
import { existsSync, type Stats } from 'node:fs';
import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { types } from 'node:util';

/** What the app file says about a watch. Paths and globs are relative to `cwd`. */
export interface WatchPatterns {
  readonly cwd: string;
  /** Files, folders and globs; one that begins with `!` is ignored. */
  readonly watch: readonly string[];
  readonly ignore: readonly (string | RegExp)[];
}

export interface WatchScope {
  /** The files and folders in which to look, absolute. */
  readonly roots: readonly string[];
  /** Whether this path, and what is in it, need not be looked at. */
  isIgnored(path: string, stats?: Stats): boolean;
  /** Whether a change of this path is meant; it is not ignored. */
  isWatched(path: string): boolean;
}

/** PM2's default: nothing hidden, no packages (Watcher.js: `/[\/\\]\.|node_modules/`). */
const HIDDEN = /(^|[/\\])\.|node_modules/;

/** As chokidar 3 matches; `!` has a meaning in `watch` only. */
const GLOB_OPTIONS = { dot: true, nonegate: true } as const;

/**
 * PM2 drops its default where there is an `ignore_watch`, and then restarts on every `git fetch`. Here hidden files and
 * packages are watched only where `watch` names them.
 */
export function watchScope(patterns: WatchPatterns): WatchScope {
  const targets = targetsOf(patterns);
  const roots = targets.map(({ root }) => root);
  const ignored = ignoredBy(patterns).map(pattern => matcherOf(patterns.cwd, pattern));
  const isHidden = (path: string): boolean => {
    const names = roots.filter(root => isWithin(root, path)).map(root => relative(root, path));
    return names.length > 0 && names.every(name => HIDDEN.test(name));
  };
  const isWatched = (path: string): boolean => targets.some(target => target.matches(path));
  return {
    roots,
    isIgnored(path, stats) {
      if (isHidden(path) || ignored.some(matches => matches(path))) return true;
      if (stats?.isFile()) return !isWatched(path);
      return stats?.isDirectory() === true && !targets.some(target => target.mayContain(path));
    },
    isWatched,
  };
}

/** One sentence for each pattern that matches nothing, or nothing under PM2. */
export function patternWarnings(patterns: WatchPatterns): string[] {
  const targets = targetsOf(patterns);
  const missing = targets
    .filter(({ root }) => !existsSync(root))
    .map(({ written, root }) => `watch: ${root} does not exist, so "${written}" watches nothing for now`);
  const unmatched = ignoredBy(patterns).flatMap(pattern => {
    const why = whyUnmatched(pattern, patterns, targets);
    return why === undefined ? [] : [`ignore_watch: ${why}`];
  });
  return [...missing, ...unmatched];
}

function whyUnmatched(
  pattern: string | RegExp,
  { cwd }: WatchPatterns,
  targets: readonly Target[],
): string | undefined {
  if (types.isRegExp(pattern))
    return `${String(pattern)} ignores nothing under PM2, which loses regular expressions; write a glob such as "**/*.log"`;
  if (pattern.startsWith('!')) return `"${pattern}" ignores nothing; exceptions have no meaning here`;
  if (/^\^|\$$|\[\\?[\\/]/.test(pattern))
    return `"${pattern}" ignores nothing; write a glob such as "**/*.log" instead of a regular expression`;
  const root = rootOf(anchored(cwd, pattern));
  return targets.some(target => isWithin(root, target.root) || isWithin(target.root, root))
    ? undefined
    : `"${pattern}" ignores nothing; ${root} is not watched`;
}

/** One entry of `watch`. */
interface Target {
  readonly written: string;
  /** The file or folder itself, or the folder in which a glob begins. */
  readonly root: string;
  matches(path: string): boolean;
  /** Whether something below this folder may match. */
  mayContain(folder: string): boolean;
}

function targetsOf({ cwd, watch }: WatchPatterns): Target[] {
  return watch
    .filter(written => !written.startsWith('!'))
    .map(written => {
      const place = anchored(cwd, written);
      const root = rootOf(place);
      const isLiteral = root === literalOf(place);
      const deepest = isLiteral || place.glob.includes('**') ? Infinity : depthOf(place.glob);
      return {
        written,
        root,
        matches: isLiteral ? path => isWithin(root, path) : globMatcher(place),
        mayContain: folder =>
          isWithin(folder, root) ||
          (isWithin(root, folder) && depthOf(relative(place.from, folder)) < deepest),
      };
    });
}

const depthOf = (path: string): number => path.split(sep).filter(part => part !== '').length;

const ignoredBy = ({ watch, ignore }: WatchPatterns): (string | RegExp)[] => [
  ...ignore,
  ...watch.filter(written => written.startsWith('!')).map(written => written.slice(1)),
];

function matcherOf(cwd: string, pattern: string | RegExp): (path: string) => boolean {
  // As chokidar: the whole path. `search` takes no notice of the flags g and y.
  if (types.isRegExp(pattern)) return path => path.search(pattern) >= 0;
  const place = anchored(cwd, pattern);
  const literal = literalOf(place);
  if (place.glob === '') return path => isWithin(literal, path);
  const matchesGlob = globMatcher(place);
  return path => isWithin(literal, path) || matchesGlob(path);
}

/** A glob, and the folder from which it counts: characters in the folder's own path have no special meaning. */
interface Place {
  readonly from: string;
  /** Empty for the folder itself. */
  readonly glob: string;
}

function anchored(cwd: string, written: string): Place {
  const isFull = isAbsolute(written);
  // As chokidar 3 reads them: a backslash separates. A slash at the end means the same folder.
  const path = posix
    .normalize(`${isFull ? '' : './'}${written.replaceAll('\\', '/')}`)
    .replace(/(?<=.)\/$/, '');
  if (isFull)
    return isWithin(cwd, path)
      ? { from: cwd, glob: relative(cwd, path) }
      : { from: '/', glob: path.slice(1) };
  const [up = ''] = /^(\.\.?(\/|$))*/.exec(path) ?? [];
  return { from: resolve(cwd, up), glob: path.slice(up.length) };
}

const literalOf = ({ from, glob }: Place): string => join(from, glob);

/** Where to look for what matches: a folder that is called like a glob is that folder. */
function rootOf(place: Place): string {
  const { scan } = picomatch();
  if (existsSync(literalOf(place))) return literalOf(place);
  const { base, isGlob } = scan(place.glob, GLOB_OPTIONS);
  return isGlob ? join(place.from, base) : literalOf(place);
}

function globMatcher({ from, glob }: Place): (path: string) => boolean {
  const matches = picomatch()(glob, GLOB_OPTIONS);
  return path => isWithin(from, path) && matches(relative(from, path));
}

const isWithin = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
};

/** Loaded only by a service that asks for it. */
const picomatch = (): typeof import('picomatch') => require('picomatch') as typeof import('picomatch');
