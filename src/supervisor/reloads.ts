/** The shell's part of a reload: reads the app file again, and answers the requests that wait. */
import { failedBecause, SUCCEEDED, type ActionOutcome } from './action.js';
import type { App } from './app-file/load.js';
import type { Event, Generation } from './core/model.js';
import { ServiceError } from '../errors.js';
import { errorLine } from '../logging/loggable.js';
import type { Line } from './report/narrate.js';
import type { ReloadOutcome } from './report/status.js';
import { SERVICE_STOPS } from './report/wording.js';

/** An app, and its number of workers on this machine. */
export interface Deployment {
  readonly app: App;
  readonly instances: number;
}

export interface ReloadParts {
  /** Reads the app file again. Rejects with a ServiceError if it cannot be used. */
  load(): Promise<Deployment>;
  /** Numbers a newly read app. */
  addApp(app: App): Generation;
  send(event: Event): void;
  log(line: Line): void;
}

export interface Reloads {
  /** How the last reload ended; `null` before the first. */
  readonly last: ReloadOutcome | null;
  /** Settles when the reload of this request has ended. Requests that come while the file is read join the next one. */
  request(): Promise<ActionOutcome>;
  /** Never rejects: a file that cannot be used refuses the reload. */
  load(): Promise<void>;
  /**
   * @param reason why the reload was aborted; `undefined` if it succeeded
   * @param advice what follows from that
   */
  ended(reason: string | undefined, advice?: string): void;
  /** The service stops: no reload begins any more. */
  refuseAll(): void;
}

type Settle = (outcome: ActionOutcome) => void;

export function createReloads(parts: ReloadParts): Reloads {
  let running: Settle[] = [];
  let next: Settle[] = [];
  let last: ReloadOutcome | null = null;

  function settle(outcome: ActionOutcome): void {
    const waiting = running;
    running = [];
    for (const resolve of waiting) resolve(outcome);
  }

  function ended(reason: string | undefined, advice?: string): void {
    last = { at: Date.now(), ok: reason === undefined, reason: reason ?? null, advice: advice ?? null };
    settle(reason === undefined ? SUCCEEDED : failedBecause(reason, advice));
  }

  return {
    get last() {
      return last;
    },
    request() {
      const outcome = new Promise<ActionOutcome>(resolve => next.push(resolve));
      parts.send({ type: 'reload.requested' });
      return outcome;
    },
    async load() {
      running = next;
      next = [];
      try {
        const { app, instances } = await parts.load();
        const generation = parts.addApp(app);
        parts.send({ type: 'reload.read', generation, policy: app.policy, instances });
      } catch (error) {
        const reason = error instanceof ServiceError ? error.message : errorLine(error);
        parts.log({ level: 'error', msg: `Reload refused, nothing changes: ${reason}` });
        ended(reason);
        parts.send({ type: 'reload.refused' });
      }
    },
    ended,
    refuseAll() {
      running.push(...next.splice(0));
      settle(failedBecause(SERVICE_STOPS));
    },
  };
}
