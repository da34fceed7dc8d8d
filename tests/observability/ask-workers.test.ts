/** What is found out about the workers of a service from their sockets. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSiblings } from '../../src/observability/ask-workers.js';
import { socketOf } from '../../src/observability/service-folder.js';
import { createServiceView, type ServiceView } from '../../src/observability/service-view.js';
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

describe('the metrics', () => {
  const view = (): ServiceView =>
    createServiceView({
      folder,
      own: () => {
        throw new Error('not asked');
      },
      controlSocket: undefined,
      log: () => undefined,
    });

  test('miss the one that has died, and not the one that exits in order while it is asked', async () => {
    await three();
    const { status } = view();
    const shown = [
      { slot: 0, up: true },
      { slot: 1, up: false },
    ];
    expect(await status()).toMatchObject({ workers: shown });
    expect(await status()).toMatchObject({ workers: shown });
  });

  test('find a worker that did not listen yet when it was asked before', async () => {
    const starting = await workerSocket(folder, 0, process.ppid);
    workers.push(starting);
    await starting.die();
    const { status } = view();
    for (let scrape = 0; scrape < 3; scrape++)
      expect(await status()).toMatchObject({ workers: [{ slot: 0, up: false }] });
    expect(existsSync(socketOf(folder, 0, process.ppid))).toBe(true);
  });

  test('are there also where the socket of a dead worker cannot be removed', async () => {
    // `rm` fails on a folder.
    mkdirSync(socketOf(folder, 0, NO_PID));
    const { status } = view();
    for (let scrape = 0; scrape < 3; scrape++)
      expect(await status()).toMatchObject({ workers: [{ slot: 0, up: false }] });
  });

  test('miss a slot whose newest worker has died before the one that drains has ended', async () => {
    const old = await workerSocket(folder, 0, NO_PID, 'draining');
    const next = await workerSocket(folder, 0, NO_PID + 1);
    workers.push(old, next);
    await next.die();
    const { status } = view();
    const shown = { workers: [{ slot: 0, up: false }] };
    for (let scrape = 0; scrape < 3; scrape++) expect(await status()).toMatchObject(shown);
    old.end();
    expect(await status()).toMatchObject(shown);
  });

  test('are there also where the sums cannot be written, and leave no part of them', async () => {
    workers.push(await workerSocket(folder, 0, NO_PID));
    const before = readdirSync(folder);
    mkdirSync(join(folder, 'totals.json'));
    expect(await view().metrics()).toContain('# TYPE');
    expect(readdirSync(folder).toSorted()).toEqual(['totals.json', ...before]);
  });
});
