/** What an entry imports and hands to the worker; it becomes `src/ecosystem/hooks.ts`. */
import { logger } from '../utils/logger.js';

logger.info('The entry was loaded');

export const closeHooks = [
  async (): Promise<void> => {
    logger.info('The close hook was run');
  },
];
