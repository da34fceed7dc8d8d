/**
 * The worker's process title, so that `ps` reads like a status page. Node 20 cuts a title to the length of the
 * command line; the first 18 characters (`worker 12 draining`) say it all.
 */
export function showTitle(state: 'starting' | 'ready' | 'draining'): void {
  const slot = process.env['NODE_APP_INSTANCE'];
  process.title = ['worker', slot, state, process.env['name'] ?? 'cabe-arena-api'].filter(Boolean).join(' ');
}
