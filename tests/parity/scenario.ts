/** What a scenario is: what is done, what was promised, and what each supervisor is seen to do. */
import type { Service } from './service.js';

/** The chapters of the table, in its order. */
export const CHAPTERS = [
  'Counting',
  'Environment',
  'Readiness',
  'Restarts',
  'Stopping',
  'Reload',
  'Scale',
  'Limits and clocks',
  'Supervisor and port',
  'The service itself',
  'Apps that are not ours',
] as const;

export type Chapter = (typeof CHAPTERS)[number];

/** What is to be seen. Sentences are stable: no pids, no milliseconds, no paths. */
export type Expectation =
  | { readonly verdict: 'same'; readonly pm2: string; readonly native: string }
  | { readonly verdict: 'native better'; readonly pm2: string; readonly native: string; readonly how: string }
  | {
      readonly verdict: 'not applicable';
      readonly pm2: string;
      readonly native: string;
      readonly how: string;
    };

export interface Scenario {
  readonly chapter: Chapter;
  /** What is promised, as a sentence. */
  readonly promise: string;
  /** Fields of the app file, over those that every scenario has; `undefined` takes one of those away. */
  readonly app?: Readonly<Record<string, unknown>>;
  /** The program of `apps/` that is run; `cabe-arena-api` is this repository's own service and app file. */
  readonly program?: string;
  /** Variables of the shell in which the commands are given. */
  readonly shell?: Readonly<Record<string, string>>;
  /** Does it, and says what was seen. */
  readonly play: (service: Service) => Promise<string>;
  readonly expect: Expectation;
}

export const scenario = (it: Scenario): Scenario => it;

export const same = (seen: string): Expectation => ({ verdict: 'same', pm2: seen, native: seen });

export const better = (it: { pm2: string; native: string; how: string }): Expectation => ({
  verdict: 'native better',
  ...it,
});

export const notApplicable = (it: { pm2: string; native: string; because: string }): Expectation => ({
  verdict: 'not applicable',
  pm2: it.pm2,
  native: it.native,
  how: it.because,
});

/** Thrown by a scenario that this machine cannot play; its row stays as it was committed. */
export class Impossible extends Error {}
