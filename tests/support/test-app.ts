/** The application in this process, for tests with supertest: no port, no supervisor, nothing left open. */
import type { Express } from 'express';
import { FEATURES } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Feature, Resource, Use } from '../../src/features/feature.js';
import { closeAll, createResources } from '../../src/features/resources.js';
import type { Readiness } from '../../src/routes/health.js';
import { createLogger } from '../../src/utils/logger.js';

export interface TestAppOptions {
  /** Without it, all of `src/api.ts`. */
  readonly features?: readonly Feature[];
  /** Values in place of what these resources would open. */
  readonly resources?: readonly (readonly [Resource<unknown>, unknown])[];
  /** Variables of the environment; no others are read. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly readiness?: () => Readiness;
}

export interface TestApp {
  readonly app: Express;
  /** Every line of the log until now. */
  readonly lines: () => Record<string, unknown>[];
  /** Lets the drain begin, for handlers of long answers. */
  drain(): void;
}

const CLOSE_TIMEOUT_MS = 2_000;
/** `EXPRESS_TUNING=off npm test` tests the plain paths. */
const { EXPRESS_TUNING } = process.env;

const toClose = new Set<() => Promise<unknown>>();
afterEach(async () => {
  await Promise.all([...toClose].map(close => close()));
  toClose.clear();
});

/** Opens the resources and makes the app; the resources are closed after the test. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { features = FEATURES, env = {}, readiness = () => 'ready' } = options;
  const replaced = new Map<Resource<unknown>, unknown>(options.resources);
  const config = readConfig({ NODE_ENV: 'test', EXPRESS_TUNING, ...env });
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  const drain = new AbortController();

  const resources = createResources(config, logger);
  toClose.add(() => closeAll(resources.closeHooks, CLOSE_TIMEOUT_MS, logger));
  await resources.open(
    features.map(feature => ({
      resources: (feature.resources ?? []).filter(resource => !replaced.has(resource)),
    })),
  );
  const use: Use = resource =>
    replaced.has(resource) ? (replaced.get(resource) as never) : resources.use(resource);

  return {
    app: createApp({
      config,
      logger,
      readiness,
      features,
      use,
      check: resources.check,
      draining: drain.signal,
    }),
    lines: () => written.map(line => JSON.parse(line) as Record<string, unknown>),
    drain: () => drain.abort(),
  };
}
