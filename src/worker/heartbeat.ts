/**
 * Shows the supervisor that this event loop turns, while it wants to know (`supervisor/pulse.ts` says why): from when
 * it asks until it has had enough, and, unless it is alone, whenever there is something to do again.
 */
import type { Server } from 'node:http';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import { monotonicMs, PULSE_MS, writeBeat } from '../protocol/heartbeat-records.js';

/** Waits to be asked; a worker that never is does nothing at all. */
export function showPulseWhenAsked(server: Server): void {
  /** Where it is to be shown; nothing until asked for. */
  let record: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;
  let busyAt = 0;

  function work(): void {
    isBusy = true;
    if (timer !== undefined) return;
    begin();
    process.send?.({ type: 'roused' } satisfies FromWorker, undefined, undefined, () => undefined);
  }

  function begin(): void {
    timer = setInterval(beat, PULSE_MS).unref();
    beat();
  }

  function beat(): void {
    if (record === undefined || !process.connected) return rest();
    const beatAt = monotonicMs();
    if (isBusy) busyAt = beatAt;
    isBusy = false;
    writeBeat(record, { beatAt, busyAt });
  }

  function rest(): void {
    clearInterval(timer);
    timer = undefined;
  }

  /** While it is asked for its pulse, every connection and request starts a pulse that rests. */
  function attend(asked: number): void {
    if (record === undefined) server.prependListener('connection', work).prependListener('request', work);
    record = asked;
    if (timer === undefined) begin();
  }

  function ignore(): void {
    record = undefined;
    server.off('connection', work).off('request', work);
  }

  process.on('message', (message: ToWorker) => {
    if (typeof message !== 'object' || message === null) return;
    if (message.type === 'pulse.wanted') attend(message.record);
    if (message.type === 'pulse.enough') {
      rest();
      if (message.until === 'asked') ignore();
    }
  });
}
