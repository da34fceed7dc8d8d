/** Which environment a reload takes, and which requests it answers. */
import type { App } from '../../src/supervisor/app-file/load.js';
import { createReloads, type Reloads } from '../../src/supervisor/reloads.js';
import { POLICY } from '../support/world.js';

interface Subject extends Reloads {
  /** The environments in which the app file was read. */
  readonly read: (string | undefined)[];
}

function subject(warnings: readonly string[] = []): Subject {
  const read: (string | undefined)[] = [];
  const reloads = createReloads({
    envName: 'first',
    async load(envName) {
      read.push(envName);
      return { app: { policy: POLICY } as App, instances: 1, warnings };
    },
    addApp: () => 1,
    send: () => undefined,
    log: () => undefined,
  });
  return Object.assign(reloads, { read });
}

test('a reload stays in the environment of the last one that succeeded', async () => {
  const reloads = subject();
  const reload = async (envName: string | undefined, failure?: string) => {
    const outcome = reloads.request(envName);
    await reloads.load();
    reloads.ended(failure);
    return (await outcome).ok;
  };
  expect(await reload(undefined)).toBe(true);
  expect(await reload('second')).toBe(true);
  expect(await reload('broken', 'it crashed')).toBe(false);
  expect(await reload(undefined)).toBe(true);
  expect(reloads.read).toEqual(['first', 'second', 'broken', 'second']);
});

test('of requests that wait together, those for another environment than the last one are refused', async () => {
  const reloads = subject();
  const outcomes = [undefined, 'a', 'b', undefined].map(envName => reloads.request(envName));
  await reloads.load();
  reloads.ended(undefined);
  const refused = { ok: false, reason: 'another reload was requested with --env b' };
  const done = { ok: true, reason: null };
  expect(await Promise.all(outcomes)).toEqual([done, refused, done, done]);
  expect(reloads.read).toEqual(['b']);
});

test('fields that are not followed are reported with the success', async () => {
  const reloads = subject(['x is not followed']);
  const outcome = reloads.request();
  await reloads.load();
  reloads.ended(undefined);
  expect(await outcome).toEqual({ ok: true, reason: null, warnings: ['x is not followed'] });
});
