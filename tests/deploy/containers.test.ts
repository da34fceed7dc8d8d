/** `Dockerfile`, `compose.yaml` and `deploy/swarm`: in step with the package and the service's own defaults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { DEFAULTS, KILL_MARGIN_MS } from '../../src/protocol/limits.js';
import { ROOT } from '../support/processes.js';

const read = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const { version, devDependencies } = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
};

test('the image has the version of the package, and the PM2 that is tested', () => {
  const ofArgument = (name: string): string | undefined =>
    new RegExp(`^ARG ${name}=(.+)$`, 'm').exec(read('Dockerfile'))?.[1];
  expect(ofArgument('VERSION')).toBe(version);
  expect(ofArgument('PM2_VERSION')).toBe(devDependencies['pm2']);
});

interface Composition {
  readonly services: {
    readonly api: {
      readonly stop_grace_period: string;
      readonly environment: Readonly<Record<string, string>>;
    };
  };
}

test.each(['compose.yaml', 'deploy/swarm/stack.yml'])(
  '%s allows more time to stop than kill_timeout',
  file => {
    const { stop_grace_period: grace, environment } = (load(read(file)) as Composition).services.api;
    const delayMs = Number(environment['DRAIN_DELAY_MS'] ?? DEFAULTS.drainDelayMs);
    const killMs = delayMs + DEFAULTS.drainTimeoutMs + DEFAULTS.closeTimeoutMs + KILL_MARGIN_MS;
    expect(grace).toMatch(/^\d+s$/);
    expect(parseInt(grace) * 1_000).toBeGreaterThan(killMs);
  },
);
