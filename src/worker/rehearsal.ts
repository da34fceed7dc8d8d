/**
 * A rehearsal: an app answers a few requests that nobody has sent. Node compiles a function when it is first called, so
 * the first answers of a process take milliseconds each. A standby has time for that while it waits; once it takes a
 * seat, clients wait for it.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import type { Output } from '../utils/output.js';

/** The app means them: they ask for what changes nothing, and for what does not exist. */
const REQUESTS = [
  ['GET /livez HTTP/1.1', 'Host: rehearsal', 'Connection: close', '', ''],
  [
    'POST /rehearsal HTTP/1.1',
    'Host: rehearsal',
    'Connection: close',
    'Content-Type: application/json',
    'Content-Length: 2',
    '',
    '{}',
  ],
].map(lines => lines.join('\r\n'));

const TIMES = 3;

/** Where the log of a rehearsal goes. */
export const NOWHERE: Output = { write: () => undefined, writeSoon: () => undefined };

/** @param server one for this alone, which never listens: connections of the real one are counted, and drained */
export async function rehearse(server: Server): Promise<void> {
  for (let time = 0; time < TIMES; time++) for (const request of REQUESTS) await answered(server, request);
}

/** On a connection that exists in memory only: a standby holds no port. */
async function answered(server: Server, request: string): Promise<void> {
  const connection = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(),
  });
  connection.push(request);
  server.emit('connection', connection);
  await once(connection, 'finish');
  connection.destroy();
}
