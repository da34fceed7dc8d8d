/** What is found out about the workers of a service from their sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSiblings } from '../../src/observability/ask-workers.js';
import { createServiceView } from '../../src/observability/service-view.js';
import { NO_PID, workerSocket, type WorkerSocket } from '../support/worker-sockets.js';

let folder: string;
let workers: WorkerSocket[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cabe-workers-'));
  workers = [];
});
afterEach(() => {
  for (const worker of workers) worker.end();
  rmSync(folder, { recursive: true, force: true });
});

async function three(): Promise<void> {
  for (const [slot, phase] of (['serving', 'serving', 'leaving'] as const).entries())
    workers.push(await workerSocket(folder, slot, NO_PID + slot, phase));
  await workers[1]?.die();
}

test('one has died, and one that exits in order while it is asked has not', async () => {
  await three();
  const asked = (await askSiblings(folder)).toSorted((one, other) => one.slot - other.slot);
  expect(asked.map(({ slot, isGone, snapshot }) => [slot, isGone, snapshot?.phase])).toEqual([
    [0, false, 'serving'],
    [1, true, undefined],
  ]);
});

test('the metrics miss the one that has died, and not the one that exits in order while it is asked', async () => {
  await three();
  const view = createServiceView({
    folder,
    own: () => {
      throw new Error('not asked');
    },
    controlSocket: undefined,
    log: () => undefined,
  });
  const shown = [
    { slot: 0, up: true },
    { slot: 1, up: false },
  ];
  expect(await view.status()).toMatchObject({ workers: shown });
  expect(await view.status()).toMatchObject({ workers: shown });
});
