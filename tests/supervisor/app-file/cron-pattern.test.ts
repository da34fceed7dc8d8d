/** `cron_restart` means what it means to PM2: held against the croner that PM2 itself brings. */
import { createRequire } from 'node:module';
import { Cron } from 'croner';
import fc from 'fast-check';
import { CRON_OPTIONS, cronProblem } from '../../../src/supervisor/app-file/cron-pattern.js';

/** croner 4's `Cron(pattern)`, without `new`, as PM2 calls it (Worker.js). */
type Pm2Cron = (pattern: string) => { next(from: Date): Date | null };

const pm2Cron = createRequire(require.resolve('pm2/package.json'))('croner') as Pm2Cron;

/** Runs from here on are compared: PM2 loses the first hours of a pattern with weekdays that is registered within a day. */
const FROM = new Date(2026, 4, 3, 23, 59, 59);

function runsUnderPm2(pattern: string, count: number): Date[] {
  const job = pm2Cron(pattern);
  const runs: Date[] = [];
  for (let run = job.next(FROM); run !== null && runs.length < count; run = job.next(run)) runs.push(run);
  return runs;
}

const runsNatively = (pattern: string, count: number): Date[] =>
  new Cron(pattern, { ...CRON_OPTIONS, paused: true }).nextRuns(count, FROM);

/** Whether no clock is changed around this moment: both libraries have their own way with an hour that is missing. */
const isOrdinary = (moment: Date): boolean => {
  const offsetAt = (hours: number): number => new Date(+moment + hours * 3_600_000).getTimezoneOffset();
  return offsetAt(-24) === offsetAt(24);
};

const texts = (runs: readonly Date[]): string[] => runs.filter(isOrdinary).map(run => run.toString());

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  /** `5/15` means the same to both. */
  readonly openSteps?: true;
}

const FIELDS: readonly Field[] = [
  { min: 0, max: 59, openSteps: true },
  { min: 0, max: 59, openSteps: true },
  { min: 0, max: 23, openSteps: true },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['jan', 'FEB', 'Mar', 'jun', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'MON', 'Fri', 'sat'] },
];

function fieldPattern({ min, max, names = [], openSteps }: Field): fc.Arbitrary<string> {
  const number = fc.integer({ min, max });
  const unit =
    names.length > 0 ? fc.oneof(number.map(String), fc.constantFrom(...names)) : number.map(String);
  const step = fc.integer({ min: 1, max });
  const range = fc.tuple(number, number).map(ends => `${Math.min(...ends)}-${Math.max(...ends)}`);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    unit,
    range,
    fc.array(unit, { minLength: 2, maxLength: 4 }).map(units => units.join(',')),
    fc.tuple(range, step).map(([ends, by]) => `${ends}/${by}`),
    step.map(by => `*/${by}`),
    ...(openSteps ? [fc.tuple(number, step).map(([start, by]) => `${start}/${by}`)] : []),
  );
}

const patterns = fc
  .tuple(fc.boolean(), ...FIELDS.map(fieldPattern))
  .map(([withSeconds, ...fields]) => (withSeconds ? fields : fields.slice(1)).join(' '));

test('the next runs of any pattern are those of PM2', () => {
  fc.assert(
    fc.property(patterns, pattern => {
      expect(cronProblem(pattern)).toBeUndefined();
      expect(texts(runsNatively(pattern, 3))).toEqual(texts(runsUnderPm2(pattern, 3)));
    }),
    {
      seed: 20_261_125,
      numRuns: 400,
      examples: [['0 0 13 * FRI'], ['5/15 * * * *'], ['0 0 L * *'], ['0 4 1-7 * MON'], ['30 2 29 2 *']],
    },
  );
});

test('0 0 13 * FRI is Friday the 13th, 5/15 four times an hour', () => {
  const runs = (pattern: string): string[] => runsNatively(pattern, 3).map(run => run.toLocaleString('sv'));
  expect(runs('0 0 13 * FRI')).toEqual(['2026-11-13 00:00:00', '2027-08-13 00:00:00', '2028-10-13 00:00:00']);
  expect(runs('5/15 * * * *')).toEqual(['2026-05-04 00:05:00', '2026-05-04 00:20:00', '2026-05-04 00:35:00']);
});

test.each([
  ['? 2 * * *', 'PM2 takes "?" for the second, minute, hour or day of its start'],
  ['* ? * * * *', 'PM2 takes "?"'],
  ['/5 * * * *', 'PM2 hangs over "/5": write "*/5"'],
  ['0 0 5/13 * *', 'PM2 begins the step "5/13" at another day or month: write a range before the slash'],
  ['0 0 * JAN/2 *', '"JAN/2"'],
  ['0 0 * * MON/2', '"MON/2"'],
  ['0 0 * * * 2030', '2030'],
  ['0 0 0 * * * 2030', "mode '5-or-6-parts'"],
  ['every day', 'invalid configuration format'],
])('%s is refused, and why', (pattern, reason) => {
  expect(cronProblem(pattern)).toContain(reason);
});
