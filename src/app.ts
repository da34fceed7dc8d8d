/** The Express application. It never listens, and knows nothing of clusters: what it needs are its arguments. */
import express, { Router, type Express, type RequestHandler } from 'express';
import type { Config } from './config.js';
import type { Context, Feature, Use } from './features/feature.js';
import { methods } from './routes/methods.js';
import { describe, type Mounted } from './routes/openapi.js';
import { health, type Readiness } from './routes/health.js';
import { keepContext, observe } from './http/middleware.js';
import { SECURITY_HEADERS } from './http/security-headers.js';
import { notFound, problems } from './http/problems.js';
import { status } from './routes/status.js';
import { answerQuickly } from './fast-path/fast-answers.js';
import { setEachHeader, presetHeaders, type StartAnswer } from './fast-path/preset-headers.js';
import type { Recorder } from './observability/recorder.js';
import type { Logger } from './utils/logger.js';

/** The largest JSON body that is read, in bytes. */
const BODY_LIMIT = 100 * 1024;

export interface AppNeeds extends Partial<Context> {
  readonly config: Config;
  readonly logger: Logger;
  /** The state that `/readyz` answers with. */
  readonly readiness: () => Readiness;
  /** The names of resources that are unavailable, if any can be checked. */
  readonly check?: (() => Promise<readonly string[]>) | undefined;
  /** What is mounted, in this order. */
  readonly features?: readonly Feature[];
  /** Where requests are noted for the observer thread. */
  readonly recorder?: Recorder | undefined;
  /** Decides which requests are handled; without it, all are. */
  readonly admit?: RequestHandler | undefined;
}

const nothingOpen: Use = ({ name }) => {
  throw new Error(`The resource ${name} is not open`);
};

export function createApp(needs: AppNeeds): Express {
  const { config, logger, readiness, check, features = [], recorder, admit } = needs;
  const { use = nothingOpen, draining = new AbortController().signal } = needs;
  const app = express();
  // Express would take the environment from the variable alone, and for `development` where it is not set.
  app.set('env', config.nodeEnv).set('view cache', config.nodeEnv === 'production');
  app.disable('x-powered-by');
  // Every answer of this API carries a time or a pid: a tag could never match, and costs a hash each time.
  app.disable('etag');
  app.set('trust proxy', config.trustProxy);
  app.use(observe(logger, prepareAnswers(app, config), { recorder, redactedQuery: config.logRedactedQuery }));
  if (admit !== undefined) app.use(admit);
  app.use(express.json({ limit: BODY_LIMIT }));
  health(app, readiness, check);
  const mounted: Mounted[] = [{ path: '/', router: app }];
  const mount = (path: string, router: Router): void => {
    app.use(path, router);
    mounted.push({ path, router });
  };
  mount('/api', status(config.nodeEnv));
  app.use(keepContext);
  for (const feature of features) {
    const router = Router();
    feature.routes?.(router, { config, logger, use, draining });
    mount(feature.path ?? '/api', router);
  }
  if (config.openapi ?? config.nodeEnv === 'development')
    methods(app, '/openapi.json', { get: (_request, response) => response.json(describe(mounted)) });
  app.use(notFound);
  app.use(problems(logger, config.nodeEnv));
  return app;
}

/** Switches the fast path on, unless EXPRESS_TUNING=off. */
function prepareAnswers(app: Express, { expressTuning }: Config): StartAnswer {
  if (!expressTuning) return setEachHeader(SECURITY_HEADERS);
  answerQuickly(app);
  return presetHeaders(app, SECURITY_HEADERS);
}
