/** When a loop counts as blocked, as hung, and when the machine is to blame instead. */
import { createWatchdog, type Finding, type Look } from '../../src/observability/watchdog.js';

const LIMIT_MS = 3_000;

/** Looks in time, unless a look says otherwise. */
function looks(
  each: readonly Partial<Look>[],
  { limitMs = LIMIT_MS, isExcused = () => false }: { limitMs?: number; isExcused?: () => boolean } = {},
): Finding[] {
  const watchdog = createWatchdog({ limitMs: () => limitMs, isExcused });
  return each.map(look =>
    watchdog.look({
      elapsedMs: watchdog.nextLookMs,
      waitedMs: 0,
      hasTurned: false,
      isBusy: false,
      ...look,
    }),
  );
}

const times = (count: number, look: Partial<Look> = {}): Partial<Look>[] =>
  Array.from({ length: count }, () => look);

const TURNED = { hasTurned: true };

/** Findings but `waiting`, shortly. */
const found = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ type }) => type !== 'waiting')
    .map(finding => ('blockedMs' in finding ? `${finding.type} ${finding.blockedMs}` : finding.type));

test('it looks seldom at an idle loop, and sooner while there are requests or the loop is blocked', () => {
  const watchdog = createWatchdog({ limitMs: () => Infinity, isExcused: () => false });
  const look = { elapsedMs: 100, waitedMs: 0, isBusy: false };
  watchdog.look({ ...look, hasTurned: true });
  expect([watchdog.nextLookMs, watchdog.isResting]).toEqual([1_500, true]);
  watchdog.look({ ...look, hasTurned: true, isBusy: true });
  expect([watchdog.nextLookMs, watchdog.isResting]).toEqual([250, false]);
  watchdog.look({ ...look, hasTurned: false });
  expect([watchdog.nextLookMs, watchdog.isResting]).toEqual([100, false]);
});

test('a blocked loop is found once, and once more when it turns again', () => {
  const findings = looks([TURNED, ...times(12), TURNED, TURNED]);
  expect(found(findings)).toEqual(['turns', 'blocked 1600', 'recovered 2600', 'turns']);
});

test('a loop that turns again within a second is not found', () => {
  expect(found(looks([{ ...TURNED, isBusy: true }, ...times(7), TURNED]))).toEqual(['turns', 'turns']);
});

test('a loop blocked up to the limit hangs', () => {
  const findings = looks([TURNED, ...times(16)]);
  expect(found(findings)).toEqual(['turns', 'blocked 1600', 'hung 3000']);
});

test('the limit may be shorter than a second', () => {
  expect(found(looks([{ ...TURNED, isBusy: true }, ...times(4)], { limitMs: 500 }))).toEqual([
    'turns',
    'hung 550',
  ]);
});

test.each<[string, Partial<Look>]>([
  ['a look that comes far too late: the machine stood still, not the loop', { elapsedMs: 60_000 }],
  ['time in which the main thread waited for a CPU', { waitedMs: 1_500 }],
])('%s counts nothing', (_what, look) => {
  expect(found(looks([TURNED, ...times(50, look), ...times(3), TURNED]))).toEqual(['turns', 'turns']);
});

test('one sample is not enough, with any value', () => {
  expect(found(looks([TURNED, {}, TURNED], { limitMs: 500 }))).toEqual(['turns', 'turns']);
});

test('what is excused begins to count anew', () => {
  let isExcused = true;
  const watchdog = createWatchdog({ limitMs: () => LIMIT_MS, isExcused: () => isExcused });
  const look = (): Finding =>
    watchdog.look({ elapsedMs: watchdog.nextLookMs, waitedMs: 0, hasTurned: false, isBusy: false });
  expect(found(Array.from({ length: 100 }, look))).toEqual([]);
  isExcused = false;
  expect(found(Array.from({ length: 40 }, look)).slice(0, 2)).toEqual(['blocked 1000', 'hung 3000']);
});
