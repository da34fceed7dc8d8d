/** The supervisor's process title, so that `ps` reads like a status page. */
import { healthOf, servedCount } from '../core/health.js';
import type { Pool } from '../core/model.js';

/** `master ready 2/2 cabe-arena-api`; Node 20 keeps as many characters as the command line had, so the state is first. */
export function showTitle(pool: Pool, name: string): void {
  process.title = `master ${healthOf(pool)} ${servedCount(pool)}/${pool.wanted} ${name}`;
}
