/** A worker on its way out: its hooks, its deadline, and what an exception in the middle of it changes. */
import type { CloseHook } from '../../src/features/resources.js';
import { startShutdown, type ShutdownNeeds } from '../../src/worker/shutdown.js';
import type { Cut, DrainTimes } from '../../src/worker/drain.js';
import type { Logger } from '../../src/utils/logger.js';

jest.useFakeTimers();

interface Scene {
  readonly events: string[];
  readonly errors: unknown[];
  readonly done: Promise<boolean>;
  hurry(timeoutMs: number): void;
}

/** How long requests in flight take; what is logged. */
function leaving(
  closeHooks: readonly CloseHook['close'][],
  more: Partial<ShutdownNeeds> & { readonly inFlightMs?: number } = {},
): Scene {
  const { inFlightMs = 0, ...needs } = more;
  const events: string[] = [];
  const errors: unknown[] = [];
  const shutdown = startShutdown({
    connections: {
      async drain({ idleGraceMs, timeoutMs }: DrainTimes): Promise<readonly Cut[]> {
        events.push(`drain ${idleGraceMs} ${timeoutMs}`);
        await new Promise(resolve => setTimeout(resolve, Math.min(inFlightMs, timeoutMs)));
        events.push('drained');
        return inFlightMs > timeoutMs ? [{ method: 'GET', url: '/slow', requestId: 'a-1' }] : [];
      },
      hurry: timeoutMs => void events.push(`hurry ${timeoutMs}`),
    },
    listening: { stop: () => void events.push('accepts no more') },
    onDrain: () => void events.push('long answers end'),
    closeHooks: closeHooks.map((close, index) => ({
      name: `pool ${index}`,
      close(deadline) {
        events.push('hook');
        return close(deadline);
      },
    })),
    logger: { error: (...args: unknown[]) => void errors.push(args.at(-1)) } as unknown as Logger,
    delayMs: 0,
    timeoutMs: 5_000,
    closeTimeoutMs: 2_000,
    ...needs,
  });
  return { events, errors, ...shutdown };
}

const never = (): Promise<void> => new Promise(() => undefined);

/** @returns whether it is over so much later, and how it went */
async function after(ms: number, { done }: Scene): Promise<boolean | 'not yet'> {
  await jest.advanceTimersByTimeAsync(ms);
  return Promise.race([done, Promise.resolve('not yet' as const)]);
}

test('hooks run when all is answered, and all went well', async () => {
  const scene = leaving([() => Promise.resolve()], { inFlightMs: 2_000 });
  expect(await after(1_999, scene)).toBe('not yet');
  expect(await after(1, scene)).toBe(true);
  expect(scene.events).toEqual(['accepts no more', 'drain 1000 5000', 'long answers end', 'drained', 'hook']);
  expect(scene.errors).toEqual([]);
});

test('everything is still served for the delay, which the deadline does not count', async () => {
  const scene = leaving([], { delayMs: 3_000, inFlightMs: 60_000 });
  await after(2_999, scene);
  expect(scene.events).toEqual([]);
  expect(await after(5_000, scene)).toBe('not yet');
  expect(await after(1, scene)).toBe(false);
});

test.each([
  ['rejects', (): Promise<void> => Promise.reject(new Error('the pool is stuck'))],
  [
    'throws',
    (): Promise<void> => {
      throw new Error('the pool is stuck');
    },
  ],
])('a hook that %s is logged, and the others are awaited all the same', async (_name, failing) => {
  const closed: string[] = [];
  const slow = async (): Promise<void> => {
    await new Promise(resolve => setTimeout(resolve, 100));
    closed.push('the other');
  };
  const scene = leaving([failing, slow]);
  expect(await after(100, scene)).toBe(false);
  expect([closed, scene.errors]).toEqual([['the other'], ['Unable to close pool 0']]);
});

test('a hook that ignores its deadline is not awaited beyond it', async () => {
  const scene = leaving([never], { inFlightMs: 4_000 });
  expect(await after(5_999, scene)).toBe('not yet');
  expect(await after(1, scene)).toBe(false);
  expect(scene.errors).toEqual(['Unable to close pool 0']);
});

test('a hook that hangs leaves the others an equal share of the time', async () => {
  let isClosed = false;
  const slow = async (): Promise<void> => {
    await new Promise(resolve => setTimeout(resolve, 999));
    isClosed = true;
  };
  const scene = leaving([never, slow]);
  expect(await after(1_999, scene)).toBe(false);
  expect([isClosed, scene.errors]).toEqual([true, ['Unable to close pool 0']]);
});

test('a hook is informed of its deadline', async () => {
  let isAborted: boolean | undefined;
  const scene = leaving([
    async deadline => {
      await new Promise(resolve => deadline.addEventListener('abort', resolve));
      isAborted = deadline.aborted;
    },
  ]);
  await after(2_000, scene);
  expect(isAborted).toBe(true);
});

test('when requests are cut at their deadline, hooks still have time of their own', async () => {
  let isClosed = false;
  const slow = async (): Promise<void> => {
    await new Promise(resolve => setTimeout(resolve, 1_500));
    isClosed = true;
  };
  const scene = leaving([slow], { inFlightMs: 60_000 });
  expect(await after(6_500, scene)).toBe(false);
  expect(isClosed).toBe(true);
  expect(scene.errors).toEqual(['Cut at the drain deadline: GET /slow']);
});

test('in a hurry the delay ends at once, and the deadline is near', async () => {
  const scene = leaving([], { delayMs: 60_000, inFlightMs: 60_000 });
  await after(10, scene);
  scene.hurry(1_000);
  expect(await after(999, scene)).toBe('not yet');
  expect(scene.events).toContain('drain 1000 1000');
  expect(await after(1, scene)).toBe(false);
});

test('in a hurry hooks have no more than the short time either', async () => {
  const scene = leaving([never], { inFlightMs: 500 });
  await after(400, scene);
  scene.hurry(1_000);
  expect(scene.events).toContain('hurry 1000');
  expect(await after(1_099, scene)).toBe('not yet');
  expect(await after(1, scene)).toBe(false);
});

test('a second order gives no more time', async () => {
  const scene = leaving([never], { timeoutMs: 1_500 });
  scene.hurry(3_000);
  expect(scene.events).toContain('hurry 1500');
  expect(await after(2_000, scene)).toBe(false);
});
