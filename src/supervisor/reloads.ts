/** The shell's part of a reload: reads the app file again, and answers the requests that wait. */
import { failedBecause, succeededWith, type ActionOutcome } from './action.js';
import type { App } from './app-file/load.js';
import type { Event, Generation } from './core/model.js';
import { ServiceError } from '../errors.js';
import { errorLine } from '../logging/loggable.js';
import type { Line } from './report/narrate.js';
import type { ReloadOutcome } from './report/status.js';
import { refusedReloadText, SERVICE_STOPS } from './report/wording.js';

/** An app, and its number of workers on this machine. */
export interface Deployment {
  readonly app: App;
  readonly instances: number;
  /** What is not followed, one sentence each. */
  readonly warnings: readonly string[];
}

export interface ReloadParts {
  /** The environment of the app file in which the service starts: `production` for `env_production`. */
  readonly envName: string | undefined;
  /** Reads the app file again, in this environment. Rejects with a ServiceError if it cannot be used. */
  load(envName: string | undefined): Promise<Deployment>;
  /** Numbers a newly read app. */
  addApp(app: App): Generation;
  send(event: Event): void;
  log(line: Line): void;
}

export interface Reloads {
  /** How the last reload ended; `null` before the first. */
  readonly last: ReloadOutcome | null;
  /** The environment of the app file in which the service runs. */
  readonly envName: string | undefined;
  /**
   * Settles when the reload of this request has ended. Requests that come while the file is read join the next one.
   * @param envName another environment, in which the service stays if the reload succeeds
   */
  request(envName?: string): Promise<ActionOutcome>;
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

interface Request {
  readonly envName: string | undefined;
  readonly settle: (outcome: ActionOutcome) => void;
}

export function createReloads(parts: ReloadParts): Reloads {
  const running: Request[] = [];
  const next: Request[] = [];
  let last: ReloadOutcome | null = null;
  let { envName } = parts;
  /** Of the reload under way. */
  let wanted = envName;
  let warnings: readonly string[] = [];

  function settle(outcome: ActionOutcome): void {
    for (const request of running.splice(0)) request.settle(outcome);
  }

  function ended(reason: string | undefined, advice?: string): void {
    if (reason === undefined) envName = wanted;
    last = { at: Date.now(), ok: reason === undefined, reason: reason ?? null, advice: advice ?? null };
    settle(reason === undefined ? succeededWith(warnings) : failedBecause(reason, advice));
  }

  function begin(): void {
    const chosen = chooseRequests(next.splice(0), envName);
    wanted = chosen.envName;
    running.push(...chosen.served);
    const why = failedBecause(`another reload was requested with --env ${wanted}`);
    for (const { settle: refuse } of chosen.refused) refuse(why);
  }

  return {
    get last() {
      return last;
    },
    get envName() {
      return envName;
    },
    request(name) {
      const outcome = new Promise<ActionOutcome>(resolve => next.push({ envName: name, settle: resolve }));
      parts.send({ type: 'reload.requested' });
      return outcome;
    },
    async load() {
      begin();
      try {
        const { app, instances, ...found } = await parts.load(wanted);
        ({ warnings } = found);
        const generation = parts.addApp(app);
        parts.send({ type: 'reload.read', generation, policy: app.policy, instances });
      } catch (error) {
        const reason = error instanceof ServiceError ? error.message : errorLine(error);
        parts.log({ level: 'error', msg: refusedReloadText(reason) });
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

/** What the next reload does for the requests that wait. */
interface Chosen {
  readonly envName: string | undefined;
  readonly served: readonly Request[];
  readonly refused: readonly Request[];
}

/** There is one environment: requests for another one than the last of them are refused. */
function chooseRequests(requests: readonly Request[], current: string | undefined): Chosen {
  const envName = requests.findLast(request => request.envName !== undefined)?.envName ?? current;
  const isServed = (request: Request): boolean => [undefined, envName].includes(request.envName);
  return {
    envName,
    served: requests.filter(isServed),
    refused: requests.filter(request => !isServed(request)),
  };
}
