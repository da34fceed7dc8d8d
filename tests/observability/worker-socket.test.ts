/** A worker answers on its socket, even if something else lies in its place. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogTail } from '../../src/live/log-tail.js';
import { ask } from '../../src/observability/ask.js';
import { socketOf } from '../../src/observability/service-folder.js';
import type { Snapshot } from '../../src/observability/snapshot.js';
import { openWorkerSocket } from '../../src/observability/worker-socket.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'cabe-socket-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('also when a killed worker of the same pid has left its socket', async () => {
  const path = socketOf(folder, 0, process.pid);
  writeFileSync(path, '');
  const failures: string[] = [];
  const own = (): Snapshot => ({ pid: process.pid }) as Snapshot;
  const server = openWorkerSocket({
    folder,
    slot: 0,
    own,
    logTail: createLogTail({ slot: 0, pid: process.pid }, () => undefined),
    diagnose: () => Promise.reject(new Error('not asked')),
    failed: (_what, reason) => failures.push(reason),
  });
  if (server === undefined) throw new Error(failures.join());
  await once(server, 'listening');
  expect(await ask({ socketPath: path }, '/', 1_000)).toEqual({ text: `{"pid":${process.pid}}\n` });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(failures).toEqual([]);
  server.close();
});
