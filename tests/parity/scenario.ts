/** A scenario: what is done to a service, what a user gains, and what each supervisor does. */
import type { Service } from './service.js';

/** The sections of docs/parity.md, in its order. */
export const SECTIONS = [
  'Number of workers',
  'Environment',
  'App file',
  'Readiness',
  'Restarts',
  'Stop',
  'Reload',
  'Scale',
  'Memory, cron and watch',
  'Supervisor and port',
  'This service',
  'Other apps',
] as const;

export type Section = (typeof SECTIONS)[number];

/** What each supervisor does. Sentences are stable: no pids, no milliseconds, no paths. */
export type Expectation =
  | { readonly verdict: 'same'; readonly pm2: string; readonly native: string }
  | {
      readonly verdict: 'native better';
      readonly pm2: string;
      readonly native: string;
      readonly reason: string;
    };

export interface Scenario {
  readonly section: Section;
  /** What a user gains, in the present tense. */
  readonly title: string;
  /** Fields of the app file, over the defaults of all scenarios; `undefined` removes a default. */
  readonly app?: Readonly<Record<string, unknown>>;
  /** The program of `apps/` to run; `cabe-arena-api` is this repository's own service and app file. */
  readonly program?: string;
  /** The app file, where it is not `ecosystem.config.js`. */
  readonly file?: { readonly name: string; readonly textOf: (content: object) => string };
  /** Variables of the shell in which the commands are given. */
  readonly shell?: Readonly<Record<string, string>>;
  /** Acts on the service. @returns what it did, as a sentence of {@link expect} */
  readonly run: (service: Service) => Promise<string>;
  readonly expect: Expectation;
}

export const scenario = (definition: Scenario): Scenario => definition;

export const same = (sentence: string): Expectation => ({
  verdict: 'same',
  pm2: sentence,
  native: sentence,
});

export const better = (outcomes: { pm2: string; native: string; reason: string }): Expectation => ({
  verdict: 'native better',
  ...outcomes,
});

/** Thrown by a scenario that cannot run on this machine; its row stays as committed. */
export class NotPossibleHere extends Error {}
