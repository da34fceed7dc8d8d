/**
 * The promise, if it settles in time.
 * @param late what to do instead after `limitMs`: its result counts, or what it throws
 */
export function within<T, Late>(limitMs: number, promise: Promise<T>, late: () => Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>(resolve => (timer = setTimeout(resolve, limitMs)));
  return Promise.race([promise, deadline.then(late)]).finally(() => clearTimeout(timer));
}
