/** The supervisor's process title, so that `ps` reads like a status page. */
import type { Pool } from '../core/model.js';
import { readyCount } from '../core/queries.js';
import { serviceState } from './status.js';

/** `master ready 2/2 cabe-arena-api`; Node 20 keeps as many characters as the command line had, so the state is first. */
export function showTitle(pool: Pool, name: string): void {
  process.title = `master ${serviceState(pool)} ${readyCount(pool)}/${pool.wanted} ${name}`;
}
