/**
 * Shows the supervisor that this event loop turns, while it wants to know (`supervisor/pulse.ts` says why): from when
 * it asks until it has had enough, and, unless it is alone, whenever there is something to do again.
 */
import type { Server } from 'node:http';
import { PULSE_MS, type FromWorker, type ToWorker } from '../supervisor/messages.js';

/** Waits to be asked; a worker that never is does nothing at all. */
export function showPulseWhenAsked(server: Server): void {
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;
  let isAsked = false;

  function work(): void {
    isBusy = true;
    if (timer === undefined) begin();
  }

  function begin(): void {
    timer = setInterval(beat, PULSE_MS).unref();
    beat();
  }

  function beat(): void {
    if (!process.connected) return rest();
    process.send?.(
      { type: 'pulse', busy: isBusy } satisfies FromWorker,
      undefined,
      undefined,
      () => undefined,
    );
    isBusy = false;
  }

  function rest(): void {
    clearInterval(timer);
    timer = undefined;
  }

  /** While it is asked for its pulse, every connection and request starts a pulse that rests. */
  function attend(): void {
    if (isAsked) return;
    isAsked = true;
    server.prependListener('connection', work).prependListener('request', work);
  }

  function ignore(): void {
    isAsked = false;
    server.off('connection', work).off('request', work);
  }

  process.on('message', (message: ToWorker) => {
    if (typeof message !== 'object' || message === null) return;
    if (message.type === 'pulse.wanted') {
      attend();
      if (timer === undefined) begin();
    }
    if (message.type === 'pulse.enough') {
      rest();
      if (message.until === 'asked') ignore();
    }
  });
}
