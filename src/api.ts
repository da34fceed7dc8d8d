/**
 * What this API consists of, beside the endpoints that every worker has (`src/routes`). This is the one place to add a
 * feature: its resources are opened before the worker listens, in this order, and closed after its drain, in reverse
 * order; its routes are mounted in this order.
 */
import type { Feature } from './features/feature.js';

export const FEATURES: readonly Feature[] = [];
