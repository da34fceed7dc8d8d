/** `watch_options`: those of chokidar's options that mean the same in PM2's chokidar 3 and in ours. */
import type { ChokidarOptions } from 'chokidar';

export type WatchOptions = Pick<ChokidarOptions, (typeof FOLLOWED)[number]>;

const FOLLOWED = [
  'usePolling',
  'interval',
  'binaryInterval',
  'awaitWriteFinish',
  'followSymlinks',
  'depth',
  'atomic',
  'ignorePermissionErrors',
] as const;

/** What holds in any case. */
const HOLDS_ANYWAY: Readonly<Record<string, unknown>> = { persistent: true, ignoreInitial: true };

const isNumber = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The type of each option, by chokidar's documentation. */
const ACCEPTS: Readonly<Record<(typeof FOLLOWED)[number], (value: unknown) => boolean>> = {
  usePolling: isFlag,
  interval: isNumber,
  binaryInterval: isNumber,
  awaitWriteFinish: value => isFlag(value) || (isObject(value) && Object.values(value).every(isNumber)),
  followSymlinks: isFlag,
  depth: isNumber,
  atomic: value => isFlag(value) || isNumber(value),
  ignorePermissionErrors: isFlag,
};

/** Takes the followed options; the others are named by {@link unfollowedWatchOptions}. */
export function watchOptions(
  value: unknown,
): { readonly value: WatchOptions } | { readonly expected: string } {
  if (!isObject(value)) return { expected: 'an object of options for chokidar' };
  const given = FOLLOWED.filter(name => value[name] !== undefined && value[name] !== null);
  const wrong = given.find(name => !ACCEPTS[name](value[name]));
  if (wrong !== undefined)
    return { expected: `an object of options for chokidar, with ${wrong} of its type` };
  return { value: Object.fromEntries(given.map(name => [name, value[name]])) };
}

/** One sentence for each option that is not followed. */
export function unfollowedWatchOptions(value: unknown): string[] {
  return Object.entries(isObject(value) ? value : {})
    .filter(
      ([name, option]) =>
        option !== null && !(FOLLOWED as readonly string[]).includes(name) && HOLDS_ANYWAY[name] !== option,
    )
    .map(
      ([name]) => `watch_options.${name} is not followed${name === 'ignored' ? '; use ignore_watch' : ''}`,
    );
}
