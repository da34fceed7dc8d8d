/** Figures of the last two minutes as a line of bars. Pure. */

/** How far back a sparkline reaches, in ms. */
export const SPAN_MS = 120_000;

const BARS = '▁▂▃▄▅▆▇█';

/** A figure at a moment (ms since the epoch); `null` is what could not be known. */
export type Sample = readonly [at: number, value: number | null];

/**
 * The highest figure of each piece of the last two minutes, the newest on the right; a peak of one second stays visible.
 * Pieces begin at whole multiples of their length, so that a bar does not change once its time is over.
 * @returns `null` for a piece without any figure
 */
export function pieces(samples: readonly Sample[], now: number, count: number): (number | null)[] {
  const length = SPAN_MS / count;
  const first = Math.floor(now / length) - count + 1;
  const highest = Array.from<number | null>({ length: count }).fill(null);
  for (const [at, value] of samples) {
    const index = Math.floor(at / length) - first;
    if (value === null || index < 0 || index >= count) continue;
    highest[index] = Math.max(highest[index] ?? value, value);
  }
  return highest;
}

/** @param top what the highest bar stands for; nothing is drawn where nothing is known */
export const sparkline = (values: readonly (number | null)[], top: number): string =>
  values
    .map(value => {
      if (value === null) return ' ';
      const share = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
      return BARS[Math.ceil(share * (BARS.length - 1))] ?? ' ';
    })
    .join('');
