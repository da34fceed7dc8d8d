/**
 * The worker's half of the heartbeats (`supervisor/processes/heartbeats.ts` is the other): shows the supervisor that
 * this event loop turns. They start and stop at the supervisor's request; stopped ones start again when there is work,
 * unless this worker is the only one.
 */
import type { Server } from 'node:http';
import { HEARTBEAT_MS, monotonicMs, writeHeartbeat } from '../protocol/heartbeat-records.js';
import type { Channel } from './channel.js';

/** Costs nothing before the supervisor's first request. */
export function sendHeartbeatsOnRequest(server: Server, channel: Channel): void {
  /** Where they are written; nothing while none are requested. */
  let record: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hadWork = false;
  let busyAt = 0;

  function noticeWork(): void {
    hadWork = true;
    if (timer !== undefined) return;
    start();
    channel.send({ type: 'cabe:busy' });
  }

  function start(): void {
    timer = setInterval(beat, HEARTBEAT_MS).unref();
    beat();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  function beat(): void {
    if (record === undefined || !channel.isConnected) return stop();
    const beatAt = monotonicMs();
    if (hadWork) busyAt = beatAt;
    hadWork = false;
    writeHeartbeat(record, { beatAt, busyAt });
  }

  channel.on('cabe:heartbeat.start', message => {
    if (record === undefined)
      server.prependListener('connection', noticeWork).prependListener('request', noticeWork);
    ({ record } = message);
    if (timer === undefined) start();
  });
  channel.on('cabe:heartbeat.stop', ({ until }) => {
    stop();
    if (until === 'busy') return;
    record = undefined;
    server.off('connection', noticeWork).off('request', noticeWork);
  });
}
