/**
 * What others see of the supervisor in charge: its control socket, and its messages to systemd. During an upgrade two
 * supervisors run, and one at a time is in charge.
 */
import type { Pool } from '../core/model.js';
import type { Log } from '../report/log.js';
import type { ServiceManager } from '../report/systemd.js';
import type { RunDirectory } from './run-directory.js';
import { openControl, type Control, type Controlled } from './server.js';

export interface FrontNeeds {
  readonly runDirectory: RunDirectory;
  readonly controlled: Controlled;
  readonly serviceManager: ServiceManager;
  readonly log: Log;
}

export interface Front {
  readonly isInCharge: boolean;
  /** What a successor needs in its environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** At the start. @throws ServiceError if another supervisor runs this service already */
  open(): Promise<void>;
  /** Takes over from the supervisor in charge. @throws Error if that cannot be done completely */
  takeOver(): Promise<void>;
  /** Another supervisor takes over: its control socket is left alone. */
  stepAside(): void;
  /** It has failed to; nothing happens unless this supervisor has stepped aside. */
  comeBack(): Promise<void>;
  /** Call it after every change of the pool. */
  follow(pool: Pool): void;
  /** Makes the control socket again if it was removed. */
  ensure(): void;
  close(): Promise<void>;
}

export function createFront({ runDirectory, controlled, serviceManager, log }: FrontNeeds): Front {
  let control: Control | undefined;
  let isInCharge = false;

  const ensure = (): void => {
    if (isInCharge) control?.ensure();
  };

  return {
    get isInCharge() {
      return isInCharge;
    },
    variables: serviceManager.variables,
    async open() {
      control = await openControl(runDirectory, controlled, log);
      isInCharge = true;
    },
    async takeOver() {
      control = await openControl(runDirectory, controlled, log, true);
      if (control === undefined)
        throw new Error('the new supervisor cannot make its control socket; the log says why');
      await serviceManager.lead();
      isInCharge = true;
    },
    stepAside() {
      isInCharge = false;
    },
    async comeBack() {
      if (isInCharge) return;
      isInCharge = true;
      ensure();
      await serviceManager.lead().catch((error: unknown) => {
        log({ level: 'warn', msg: (error as Error).message });
      });
    },
    follow(pool) {
      serviceManager.follow(pool);
      ensure();
    },
    ensure,
    close: async () => control?.close(),
  };
}
