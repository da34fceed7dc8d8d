/** A warm standby: loaded like any worker, but it listens only when a seat has fallen vacant (`supervisor/standby.ts`). */
import { STANDBY, type FromWorker, type ToWorker } from '../supervisor/messages.js';
import { showTitle } from './title.js';

/**
 * Resolves at once for a worker that has a seat, and for a standby when it gets one.
 * @param prepare what a standby does before it waits, so that nobody has to wait for it afterwards
 */
export async function waitForSeat(prepare: () => Promise<void>): Promise<void> {
  if (process.env[STANDBY] === undefined) return;
  delete process.env[STANDBY];
  await prepare();
  showTitle('standby');
  const promoted = new Promise<void>(resolve => {
    process.on('message', function heard(message: ToWorker): void {
      if (typeof message !== 'object' || message?.type !== 'promoted') return;
      process.off('message', heard);
      Object.assign(process.env, message.variables);
      resolve();
    });
  });
  process.send?.({ type: 'standby' } satisfies FromWorker);
  await promoted;
}
