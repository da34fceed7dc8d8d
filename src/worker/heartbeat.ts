/**
 * The worker's half of the heartbeats (`supervisor/processes/heartbeats.ts` is the other): shows the supervisor that
 * this event loop turns, at the pace that the supervisor requests.
 */
import type { Server } from 'node:http';
import {
  HEARTBEAT_MS,
  monotonicMs,
  SLOW_HEARTBEAT_MS,
  writeHeartbeat,
  type Pace,
} from '../protocol/heartbeat-records.js';
import type { Channel } from './channel.js';

/** Costs nothing before the supervisor's first request. */
export function sendHeartbeatsOnRequest(server: Server, channel: Channel): void {
  let target = { record: 0, file: '' };
  let timer: NodeJS.Timeout | undefined;
  let pace: Pace = 'slow';
  let hadWork = false;
  let busyAt = 0;

  function noticeWork(): void {
    hadWork = true;
    if (pace !== 'slow-until-busy') return;
    start('fast');
    channel.send({ type: 'cabe:busy' });
  }

  function start(next: Pace): void {
    clearInterval(timer);
    watchForWork(next !== 'slow');
    pace = next;
    timer = setInterval(beat, pace === 'fast' ? HEARTBEAT_MS : SLOW_HEARTBEAT_MS).unref();
    beat();
  }

  function stop(): void {
    clearInterval(timer);
    watchForWork(false);
    pace = 'slow';
  }

  function watchForWork(wanted: boolean): void {
    const isWatching = pace !== 'slow';
    if (wanted && !isWatching)
      server.prependListener('connection', noticeWork).prependListener('request', noticeWork);
    if (!wanted && isWatching) server.off('connection', noticeWork).off('request', noticeWork);
  }

  function beat(): void {
    if (!channel.isConnected) return stop();
    const beatAt = monotonicMs();
    if (hadWork) busyAt = beatAt;
    hadWork = false;
    if (writeHeartbeat(target, { beatAt, busyAt })) return;
    stop();
    channel.send({ type: 'cabe:heartbeat.lost' });
  }

  channel.on('cabe:heartbeat.start', message => {
    target = message;
    start(message.pace);
  });
  channel.on('cabe:heartbeat.stop', stop);
}
