/** Figures, times and durations as text. Pure. */

/** What could not be known. */
export const UNKNOWN = '–';

/**
 * Text of what is known, a dash for what is not.
 * @template T
 * @param {T | null | undefined} value
 * @param {(value: T) => string} text
 */
export const known = (value, text) =>
  value === null || value === undefined || Number.isNaN(value) ? UNKNOWN : text(value);

/** Three digits are enough to compare. @param {number} value */
const digits = value => {
  const size = Math.abs(value);
  const places = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-GB', { minimumFractionDigits: places, maximumFractionDigits: places });
};

/** @param {number} value per second */
export const rate = value => (value >= 10 ? Math.round(value).toLocaleString('en-GB') : value.toFixed(1));

/** @param {number} value in ms */
export const latency = value =>
  value >= 10_000
    ? `${digits(value / 1_000)} s`
    : value >= 1_000
      ? `${(value / 1_000).toFixed(2)} s`
      : `${digits(value)} ms`;

/** @param {number} value in percent of one core */
export const percent = value => `${value.toFixed(value >= 100 ? 0 : 1)} %`;

/** @param {number} value from 0 to 1 */
export const share = value => percent(value * 100);

/** @param {number} value in bytes; units are powers of 1024, as in `status` and PM2 */
export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}

/** @param {number} value */
export const count = value => Math.round(value).toLocaleString('en-GB');

/** The two largest units. @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

/** Local time of day. @param {number} at in ms since the epoch */
export const clock = at => new Date(at).toLocaleTimeString('en-GB', { hour12: false });

/** As {@link clock}, with milliseconds. @param {number} at in ms since the epoch */
export const exactClock = at => `${clock(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;

/** @param {number} at in ms since the epoch */
export const day = at =>
  new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
