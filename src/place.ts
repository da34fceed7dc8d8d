import { extname, join } from 'node:path';

/**
 * Our own worker's program, beside this file: in the folder of the sources, in that of the build, and in the one file
 * that the build makes of the supervisor.
 */
export const WORKER_FILE = join(__dirname, `index${extname(__filename)}`);
