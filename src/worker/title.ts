import type { WorkerState } from './state.js';

/** What `ps` shows of a phase; the last phases keep the title, for a process that is about to end. */
const TITLES: Readonly<Partial<Record<WorkerState['phase'], string>>> = {
  booting: 'starting',
  serving: 'ready',
  draining: 'draining',
};

/**
 * Sets the process title, so that `ps` reads like a status page. Node 20 cuts a title to the length of the command
 * line; the first 18 characters (`worker 12 draining`) carry the facts.
 */
export function showTitle(phase: WorkerState['phase']): void {
  const word = TITLES[phase];
  if (word === undefined) return;
  const slot = process.env['NODE_APP_INSTANCE'];
  process.title = ['worker', slot, word, process.env['name'] ?? 'cabe-arena-api'].filter(Boolean).join(' ');
}
