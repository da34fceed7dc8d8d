/** Counters of the service never fall: not when a worker dies, and not when another thread goes on counting. */
import { COUNTERS, GAUGES, parseSnapshot, type Snapshot } from '../../src/observability/snapshot.js';
import { createTotals, type Totals } from '../../src/observability/totals.js';
import { IDLE } from '../support/snapshots.js';

function snapshot(pid: number, cpu: number, requests: readonly number[] = [], slot = 0): Snapshot {
  return {
    ...IDLE,
    slot,
    pid,
    phase: 'serving',
    counters: {
      ...Object.fromEntries(COUNTERS.map(name => [name, 0])),
      cpuUserSeconds: cpu,
    } as Snapshot['counters'],
    gauges: Object.fromEntries(GAUGES.map(name => [name, 1])) as Snapshot['gauges'],
    requests: requests.map((count, index) => ({
      method: 'GET',
      route: `/${index}`,
      status: 200,
      buckets: [count, 0],
      sum: count,
    })),
  };
}

const cpu = (totals: Totals, slot = 0): number | undefined =>
  totals.slots().get(slot)?.counters.cpuUserSeconds;
const counts = (totals: Totals): number[] =>
  (totals.slots().get(0)?.requests ?? []).map(({ buckets: [count = 0] }) => count);

const alive = (): boolean => false;

test('a slot counts what its ended and its living processes have counted', () => {
  const totals = createTotals();
  totals.update([snapshot(1, 5, [3, 1])], alive);
  totals.update([snapshot(1, 6, [4, 1]), snapshot(2, 1, [1])], alive);
  expect([cpu(totals), counts(totals)]).toEqual([7, [5, 1]]);
  totals.update([snapshot(2, 2, [1, 0, 9])], pid => pid === 1);
  expect([cpu(totals), counts(totals)]).toEqual([8, [5, 1, 9]]);
});

test('a process that does not answer keeps what it had counted', () => {
  const totals = createTotals();
  totals.update([snapshot(1, 5)], alive);
  totals.update([], alive);
  expect(cpu(totals)).toBe(5);
});

test('another thread goes on with the same sums', () => {
  const first = createTotals();
  first.update([snapshot(1, 5), snapshot(3, 1, [], 1)], alive);
  first.update([snapshot(2, 1)], pid => pid === 1);
  const second = createTotals(first.save());
  second.update([snapshot(2, 2)], pid => pid === 3);
  expect([cpu(second), cpu(second, 1)]).toEqual([7, 1]);
});

test.each([['{'], ['null'], ['[]'], ['{"ended":1}']])('sums that cannot be read (%s) begin at 0', saved => {
  const totals = createTotals(saved);
  totals.update([snapshot(1, 2)], alive);
  expect(cpu(totals)).toBe(2);
});

test('only a whole snapshot is taken for one', () => {
  const whole = snapshot(1, 2, [3]);
  expect(parseSnapshot(JSON.stringify(whole))).toEqual(whole);
  const broken = [
    { ...whole, slot: '0' },
    { ...whole, phase: 'sleeping' },
    { ...whole, counters: {} },
    { ...whole, gauges: undefined },
    { ...whole, requests: [{}] },
    { ...whole, requests: [{ ...whole.requests[0], buckets: ['1'] }] },
  ];
  for (const value of [...broken, null, 3]) expect(parseSnapshot(JSON.stringify(value))).toBeUndefined();
  expect(parseSnapshot('garbage')).toBeUndefined();
});
