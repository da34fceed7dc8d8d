/** Every fault, in the order of the table. */
import { CLOCK } from './clock.js';
import type { Fault } from './fault.js';
import { FILES } from './files.js';
import { LIMITS } from './limits.js';
import { OUTPUT } from './output.js';
import { PROCESSES } from './processes.js';

export const FAULTS: readonly Fault[] = [...PROCESSES, ...LIMITS, ...FILES, ...OUTPUT, ...CLOCK];
