import type { Section } from '../support/section.js';
import { accepting } from './accepting.js';
import { core } from './core.js';
import { pair } from './pair.js';
import { growth } from './growth.js';
import { held } from './held.js';
import { idle } from './idle.js';
import { memorySection } from './memory.js';
import { observability } from './observability.js';
import { overload } from './overload.js';
import { single, singleSteady } from './single.js';
import { start } from './start.js';

/** Every section, in the order of the report. */
export const SECTIONS: readonly Section[] = [
  single,
  singleSteady,
  pair,
  accepting,
  start,
  memorySection,
  idle,
  growth,
  core,
  held,
  overload,
  observability,
];
