/** Requests and latency by route, over the last moments. Pure. */

/** @typedef {import('../messages.js').LiveRoute} LiveRoute */

/** So many moments, thus seconds, make the figures of a route. */
export const RECENT = 10;

/**
 * Means of the rates, and the highest of the latencies; the busiest route comes first.
 * @param {readonly (readonly LiveRoute[])[]} recent the routes of each of the last moments
 * @returns {readonly LiveRoute[]}
 */
export function routesOf(recent) {
  /** @type {Map<string, LiveRoute>} */
  const all = new Map();
  for (const route of recent.flat()) {
    const key = `${route.method} ${route.route}`;
    const { requestsPerSecond = 0, errorsPerSecond = 0, p50Ms = null, p99Ms = null } = all.get(key) ?? {};
    all.set(key, {
      method: route.method,
      route: route.route,
      requestsPerSecond: requestsPerSecond + route.requestsPerSecond / recent.length,
      errorsPerSecond: errorsPerSecond + route.errorsPerSecond / recent.length,
      p50Ms: higher(p50Ms, route.p50Ms),
      p99Ms: higher(p99Ms, route.p99Ms),
    });
  }
  return [...all.values()].toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond);
}

/** @param {number | null} a @param {number | null} b */
const higher = (a, b) => (a === null || b === null ? (a ?? b) : Math.max(a, b));
