import { createUsageMeter, readUsage, type Usage } from '../../src/platform/process-usage.js';

/** A meter over made-up processes, at a made-up time. */
function meter() {
  const processes = new Map<number, Usage>();
  const clock = { now: 0 };
  const usage = createUsageMeter(
    () => clock.now,
    pid => processes.get(pid),
  );
  return { processes, clock, usage };
}

test('CPU is what was spent since the last look, in percent of one core', () => {
  const { processes, clock, usage } = meter();
  processes.set(1, { rss: 10, cpuMs: 5_000 });
  expect(usage.of(1)).toEqual({ memory: 10, cpu: 0 });
  clock.now = 1_000;
  processes.set(1, { rss: 20, cpuMs: 5_250 });
  expect(usage.of(1)).toEqual({ memory: 20, cpu: 25 });
});

test('two looks at once tell the same', () => {
  const { processes, clock, usage } = meter();
  processes.set(1, { rss: 10, cpuMs: 0 });
  usage.of(1);
  clock.now = 1_000;
  processes.set(1, { rss: 10, cpuMs: 500 });
  expect(usage.of(1)?.cpu).toBe(50);
  clock.now = 1_010;
  processes.set(1, { rss: 10, cpuMs: 510 });
  expect(usage.of(1)?.cpu).toBe(50);
});

test('a process that has the number of another one begins at nought', () => {
  const { processes, clock, usage } = meter();
  processes.set(1, { rss: 10, cpuMs: 60_000 });
  usage.of(1);
  clock.now = 1_000;
  processes.set(1, { rss: 10, cpuMs: 100 });
  expect(usage.of(1)?.cpu).toBe(0);
  clock.now = 2_000;
  processes.set(1, { rss: 10, cpuMs: 200 });
  expect(usage.of(1)?.cpu).toBe(10);
});

test('a process that is gone is not known, and forgotten', () => {
  const { processes, clock, usage } = meter();
  for (const pid of [1, 2]) processes.set(pid, { rss: 10, cpuMs: 0 });
  for (const pid of [1, 2]) usage.of(pid);
  usage.keep([2]);
  clock.now = 1_000;
  for (const pid of [1, 2]) processes.set(pid, { rss: 10, cpuMs: 500 });
  expect([usage.of(1)?.cpu, usage.of(2)?.cpu]).toEqual([0, 50]);
  processes.clear();
  expect([usage.of(1), usage.of(2)]).toEqual([undefined, undefined]);
});

test('of this very process something is known, where there is /proc', () => {
  expect(readUsage(process.pid) !== undefined).toBe(process.platform === 'linux');
});
