/** A look at a service for its live page: sockets of dead workers are removed, and no slot is forgotten. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLooks, type Seen } from '../../src/live/look-at-service.js';
import { socketOf } from '../../src/observability/service-folder.js';
import { NO_PID, workerSocket, type WorkerSocket } from '../support/worker-sockets.js';

let folder: string;
let workers: WorkerSocket[];
let look: () => Promise<Seen>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cabe-looks-'));
  workers = [];
  look = createLooks({ app: 'app', supervisedBy: 'pm2', folder, controlSocket: undefined }, undefined);
});
afterEach(() => {
  for (const { end } of workers) end();
  rmSync(folder, { recursive: true, force: true });
});

async function worker(slot: number, pid: number, phase?: WorkerSocket['phase']): Promise<WorkerSocket> {
  const added = await workerSocket(folder, slot, pid, phase);
  workers.push(added);
  return added;
}

test('the socket of a dead worker is removed once its slot has another one', async () => {
  await (await worker(0, NO_PID)).die();
  await look();
  expect(existsSync(socketOf(folder, 0, NO_PID))).toBe(true);
  await worker(0, NO_PID + 1);
  await look();
  expect(existsSync(socketOf(folder, 0, NO_PID))).toBe(false);
});

test('a socket that refuses connections stays while its process lives', async () => {
  await (await worker(0, process.ppid)).die();
  await worker(0, NO_PID);
  await look();
  expect(existsSync(socketOf(folder, 0, process.ppid))).toBe(true);
});

test('the service is seen also where the socket of a dead worker cannot be removed', async () => {
  // `rm` fails on a folder.
  mkdirSync(socketOf(folder, 0, NO_PID));
  await worker(0, NO_PID + 1);
  const { status } = (await look()).look;
  expect(status).toMatchObject({ state: 'ready', served: 1, wanted: 1 });
});

test.each([
  ['the dead socket stays', false],
  ['a scrape removes the dead socket', true],
])('a slot stays lost after the worker that drains in it has ended: %s', async (_what, isRemoved) => {
  await worker(0, NO_PID);
  const old = await worker(1, NO_PID + 1, 'draining');
  await (await worker(1, NO_PID + 2)).die();
  expect((await look()).look.status).toMatchObject({ served: 1, wanted: 2 });
  if (isRemoved) rmSync(socketOf(folder, 1, NO_PID + 2));
  await look();
  old.end();
  expect((await look()).look.status).toMatchObject({
    state: 'degraded',
    served: 1,
    wanted: 2,
    why: [expect.stringContaining('slot 1 has lost its worker')],
  });
});
