/** What holds for any numbers and texts: restart arithmetic, field parsers, the number of workers. */
import fc from 'fast-check';
import { countWorkers } from '../../../src/platform/cpus.js';
import { camelCase, FOLLOWED, type Parsed } from '../../../src/supervisor/app-file/fields.js';
import { exponentialDelay, forkFailureDelay, restartDelay } from '../../../src/supervisor/core/policy.js';
import { POLICY } from '../../support/world.js';

const CEILING_MS = 15_000;
const delays = fc.integer({ min: 1, max: CEILING_MS });
const failures = fc.integer({ min: 1, max: 100 });

describe('the delay of a restart', () => {
  test('begins with the first one', () => {
    fc.assert(fc.property(fc.nat(), first => exponentialDelay(first, 1) === first));
  });

  test('never shrinks, and stays below the ceiling', () => {
    fc.assert(
      fc.property(delays, failures, (first, n) => {
        const [now, later] = [exponentialDelay(first, n), exponentialDelay(first, n + 1)];
        return now <= later && later <= CEILING_MS && later <= now * 1.5;
      }),
    );
  });

  test('is what PM2 would wait', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30_000 }), failures, (first, n) => {
        // God.js:518-530, step by step.
        let previous = 0;
        for (let exits = 0; exits < n; exits++)
          previous = previous === 0 ? first : Math.floor(Math.min(15_000, previous * 1.5));
        expect(exponentialDelay(first, n)).toBe(previous);
      }),
    );
  });

  test('reaches the ceiling from any first delay that grows at all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: CEILING_MS }),
        first => exponentialDelay(first, 30) === CEILING_MS,
      ),
    );
  });

  test('is nothing after a stable run, under any policy', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (restartDelayMs, expBackoffRestartDelayMs) => {
        return restartDelay({ ...POLICY, restartDelayMs, expBackoffRestartDelayMs }, 0) === 0;
      }),
    );
  });

  test('without a backoff is always the same', () => {
    fc.assert(
      fc.property(fc.nat(), failures, (restartDelayMs, n) => {
        return restartDelay({ ...POLICY, restartDelayMs }, n) === restartDelayMs;
      }),
    );
  });

  test('of refused forks is a whole number of milliseconds from 100 to the ceiling', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), n => {
        const delay = forkFailureDelay(n);
        return Number.isInteger(delay) && delay >= 100 && delay <= CEILING_MS;
      }),
    );
  });
});

/** What a field makes of a value; `undefined` if it refuses it. */
function valueOf(name: keyof typeof FOLLOWED, value: unknown): unknown {
  const parsed: Parsed<unknown> = FOLLOWED[name].parse(value);
  return 'value' in parsed ? parsed.value : undefined;
}

describe('a field', () => {
  const names = fc.constantFrom(...(Object.keys(FOLLOWED) as (keyof typeof FOLLOWED)[]));

  test('takes anything or says what it expects, and never throws', () => {
    fc.assert(
      fc.property(names, fc.anything(), (name, value) => {
        const parsed: Parsed<unknown> = FOLLOWED[name].parse(value);
        return 'value' in parsed || parsed.expected.length > 0;
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    'restart_delay',
    'exp_backoff_restart_delay',
    'watch_delay',
    'kill_timeout',
    'listen_timeout',
  ] as const)('%s takes whole numbers, also as texts, and nothing below nought or broken', name => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), number => {
        expect(valueOf(name, number)).toBe(number);
        expect(valueOf(name, String(number))).toBe(number);
        expect(valueOf(name, -number)).toBeUndefined();
        expect(valueOf(name, number + 0.5)).toBeUndefined();
        expect(valueOf(name, `${number}s`)).toBeUndefined();
      }),
    );
  });

  test('min_uptime takes milliseconds, seconds, minutes and hours from 100 ms', () => {
    const units = { '': 1, s: 1_000, m: 60_000, h: 3_600_000 };
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
        (number, unit) => {
          const ms = number * units[unit];
          expect(valueOf('min_uptime', `${number}${unit}`)).toBe(ms >= 100 ? ms : undefined);
        },
      ),
    );
  });

  test('max_memory_restart multiplies by its unit, and takes no other', () => {
    const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4_096 }),
        fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
        (number, unit) => {
          expect(valueOf('max_memory_restart', `${number}${unit}`)).toBe(number * units[unit]);
          expect(valueOf('max_memory_restart', `${number}${unit}B`)).toBeUndefined();
          expect(valueOf('max_memory_restart', `-${number}${unit}`)).toBeUndefined();
        },
      ),
    );
  });

  test('instances is a whole number from -1024 to 1024', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_000, max: 2_000 }), number => {
        expect(valueOf('instances', number)).toBe(Math.abs(number) <= 1_024 ? number : undefined);
      }),
    );
  });

  test('stop_exit_codes are from 0 to 255', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -10, max: 300 })), codes => {
        const possible = codes.every(code => code >= 0 && code <= 255);
        expect(valueOf('stop_exit_codes', codes)).toEqual(possible ? codes : undefined);
      }),
    );
  });

  test('args are the same as a list and as one text with quotes', () => {
    const word = fc.stringMatching(/^[a-z0-9./:_ -]+$/).filter(text => text.trim() !== '');
    fc.assert(
      fc.property(fc.array(word), list => {
        expect(valueOf('args', list)).toEqual(list);
        expect(valueOf('args', list.map(text => `'${text}'`).join(' '))).toEqual(list);
        expect(valueOf('args', list.map(text => `"${text}"`).join('  '))).toEqual(list);
      }),
    );
  });

  test('env holds texts only, from any values', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), values => {
        const parsed = valueOf('env', values) as Record<string, unknown>;
        return Object.values(parsed).every(content => typeof content === 'string');
      }),
    );
  });

  test('has a camelCase name without underscores before letters', () => {
    fc.assert(fc.property(names, name => !/_[a-z]/.test(camelCase(name))));
  });
});

describe('the number of workers', () => {
  const cpus = fc.integer({ min: 1, max: 256 });
  const machines = fc
    .record({
      cpus,
      affinity: cpus,
      quota: fc.option(fc.double({ min: 0.01, max: 300, noNaN: true }), { nil: undefined }),
    })
    .map(machine => ({ ...machine, affinity: Math.min(machine.affinity, machine.cpus) }));
  const automatic = fc.integer({ min: -300, max: 0 });

  test('is at least one, and no more than the machine allows', () => {
    fc.assert(
      fc.property(machines, automatic, (machine, instances) => {
        const { count } = countWorkers({ instances, webConcurrency: undefined, machine });
        return count >= 1 && count <= machine.affinity && count <= Math.max(1, machine.quota ?? Infinity);
      }),
    );
  });

  test('is exactly the requested number, however large', () => {
    const asked = fc.integer({ min: 1, max: 1_024 });
    fc.assert(
      fc.property(machines, asked, fc.integer({ min: -300, max: 1_024 }), (machine, number, instances) => {
        expect(countWorkers({ instances: number, webConcurrency: undefined, machine }).count).toBe(number);
        expect(countWorkers({ instances, webConcurrency: number, machine }).count).toBe(number);
      }),
    );
  });

  test('never grows when more is reserved', () => {
    fc.assert(
      fc.property(machines, automatic, (machine, instances) => {
        const count = (wish: number): number =>
          countWorkers({ instances: wish, webConcurrency: undefined, machine }).count;
        return count(instances - 1) <= count(instances);
      }),
    );
  });

  test('leaves a CPU to the operating system wherever there is more than one', () => {
    fc.assert(
      fc.property(machines, ({ cpus: total, affinity }) => {
        const machine = { cpus: total, affinity, quota: undefined };
        const { count, reason } = countWorkers({ instances: -1, webConcurrency: undefined, machine });
        return affinity === 1 ? count === 1 : count === affinity - 1 && reason.endsWith('reserving 1 for OS');
      }),
    );
  });
});
