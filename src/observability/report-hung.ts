import http from 'node:http';
import { HUNG_PATH } from '../protocol/messages.js';

/** A supervisor that does not answer keeps no hung worker alive for longer. */
const ANSWER_MS = 500;

/** Tells the native supervisor why this process is about to be killed: of the exit it would learn only the signal. */
export function reportHung(socketPath: string, blockedMs: number): Promise<void> {
  return new Promise(resolve => {
    http
      .request({ socketPath, path: HUNG_PATH, method: 'POST', signal: AbortSignal.timeout(ANSWER_MS) })
      .on('error', () => resolve())
      .on('response', response => response.resume().on('close', resolve))
      .end(JSON.stringify({ pid: process.pid, blockedMs: Math.round(blockedMs) }));
  });
}
