/** What a fault of the machine is: how it begins and ends, and what must hold. */
import type { Lost } from '../../support/failures.js';
import type { Host, Service, Setting } from './service.js';
import type { StrictClient } from '../../support/strict-client.js';

/** A service under load, while a fault happens to it. */
export interface Trial {
  readonly service: Service;
  readonly client: StrictClient;
  /** Says that something did not hold; the trial goes on. */
  expect(holds: boolean, otherwise: string): void;
  /** From now on no process serves. */
  gone(): void;
  /** When that was. */
  readonly goneAt: number | undefined;
}

/** Which requests may fail, because nothing could have answered them. */
export interface Excuse {
  /** As the table says it: `on connections of killed workers`. */
  readonly what: string;
  /** @returns those that nothing excuses */
  unexcused(lost: readonly Lost[], trial: Trial): readonly Lost[];
}

export interface Fault {
  readonly name: string;
  /** What happens, as the table says it. */
  readonly what: string;
  readonly under: readonly Host[];
  /** @returns why this machine cannot do it */
  needs?(): string | undefined;
  /** How the service is started. */
  setting?(folder: string): Setting;
  /** Begins, holds and ends the fault. */
  inflict(trial: Trial): Promise<void>;
  /** By default none. */
  readonly mayFail?: Excuse;
  /** No answer takes longer, in ms. */
  readonly slowestMs?: number;
  /** What the log must say; without it, no warning at all. */
  readonly logged?: Partial<Readonly<Record<Host, RegExp>>>;
  /** Whether the native supervisor can be asked afterwards; by default it can. */
  readonly hasControl?: boolean;
  /** From the end of the fault until every worker serves again, in ms. */
  readonly healsWithinMs: number;
  /** How it heals, as the table says it. */
  readonly heals: string;
}

/** How long most faults last. */
export const HOLD_MS = 3_000;

/** A fault that ends nothing: no request may fail. */
export const NOTHING: Excuse = { what: '', unexcused: lost => lost };

/** Requests on connections that a killed worker held. */
export const HELD: Excuse = {
  what: 'connections of killed workers',
  unexcused(lost, { service: { failing, host } }) {
    const { unexcused } = failing.judge({ lost });
    // PM2's round robin neither hands over nor closes a connection that was on its way to a worker that dies.
    return host === 'PM2' ? unexcused.filter(({ kind }) => kind !== 'timed out') : unexcused;
  },
};

/** Requests that came while no process served, and were never accepted by one. */
export const NONE_SERVED: Excuse = {
  what: 'while no process served',
  unexcused: (lost, { service: { failing }, goneAt = Infinity }) =>
    failing.judge({ lost }, { stoppedAt: goneAt }).unexcused,
};
