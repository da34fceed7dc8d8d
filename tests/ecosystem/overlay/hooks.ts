/** What an entry imports and hands to the worker; it becomes `src/ecosystem/hooks.ts`. */
import { logger } from '../utils/logger.js';

// An agent that is no option of Node comes in by the first lines of the entry.
const { ECO_REQUIRED: agent = '' } = process.env;
if (agent !== '') require(agent);

logger.info('The entry was loaded');

export const closeHooks = [
  async (): Promise<void> => {
    logger.info('The close hook was run');
  },
];
