/** The help of `monit`: fits 80 columns and 24 rows. Pure. */
import { KEYS } from './keys.js';
import type { Line } from './paint.js';
import { padEnd, wrapped } from './text.js';

const NOTES = [
  'Figures are those of the last ten seconds. cpu: percent of one core; mem: resident memory; loop: time in which the event loop was busy; up: since the start of the process.',
  'A bar is the highest figure of its part of the last two minutes. The bars of a column share one scale; those of cpu and loop end at 100 % or above.',
];

export const helpLines = (columns: number): Line[] => [
  ...KEYS.map(([keys, does]): Line => [
    [`  ${padEnd(keys, 14)} `, 'strong'],
    [does, 'plain'],
  ]),
  [],
  ...NOTES.flatMap(note => wrapped(note, columns - 4, 6)).map((text): Line => [[`  ${text}`, 'dim']]),
];
