/** The resources of a worker: opened in order, asked by `/readyz`, closed in reverse order. */
import type { Config } from '../config.js';
import { errors } from '../errors.js';
import { errorLine, errorRecord } from '../logging/loggable.js';
import type { Logger } from '../utils/logger.js';
import type { Feature, Resource, Use } from './feature.js';

/** Less than `listen_timeout`: the worker then says itself what it has waited for. */
const OPEN_TIMEOUT_MS = 8_000;

/** How long a check may take, and how long its outcome is answered again. */
const CHECK_MS = 1_000;

/** Closes one resource. It should not take longer than until the deadline, and is not awaited longer. */
export interface CloseHook {
  readonly name: string;
  close(deadline: AbortSignal): unknown;
}

/** A resource, and what `open` gave. */
type Opened = readonly [Resource<unknown>, unknown];

export interface Resources {
  readonly use: Use;
  /**
   * Opens the resources of these features, one after the other.
   * @throws ServiceError RESOURCE_NOT_OPENED for the first that fails
   */
  open(features: readonly Feature[]): Promise<void>;
  /** The names of those that are unavailable; `undefined` if none of them can be checked. */
  readonly check: (() => Promise<readonly string[]>) | undefined;
  /** What is open, in the order in which it is to be closed. */
  readonly closeHooks: readonly CloseHook[];
}

export function createResources(config: Config, logger: Logger): Resources {
  const opened = new Map<Resource<unknown>, unknown>();
  let check: Resources['check'];

  const use: Use = resource => {
    if (!opened.has(resource))
      throw new Error(`The resource ${resource.name} is not open: list it in the feature's resources`);
    return opened.get(resource) as never;
  };

  return {
    use,
    async open(features) {
      for (const resource of new Set(features.flatMap(({ resources = [] }) => resources))) {
        const timeoutMs = resource.openTimeoutMs ?? OPEN_TIMEOUT_MS;
        try {
          const open = (signal: AbortSignal): unknown => resource.open({ config, logger, use, signal });
          opened.set(resource, await within(timeoutMs, open));
        } catch (error) {
          throw errors.resourceNotOpened(resource.name, errorLine(error), error);
        }
      }
      check = checkOf([...opened], logger);
    },
    get check() {
      return check;
    },
    get closeHooks() {
      return [...opened].toReversed().map(([resource, value]) => ({
        name: resource.name,
        close: (deadline: AbortSignal) => resource.close?.(value, deadline),
      }));
    },
  };
}

/**
 * Closes one after the other. Each has an equal share of the time that is left, so that one that hangs does not cost the
 * others theirs.
 * @returns whether all were closed in time
 */
export async function closeAll(
  hooks: readonly CloseHook[],
  timeoutMs: number,
  logger: Logger,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  let isClean = true;
  for (const [index, { name, close }] of hooks.entries()) {
    const shareMs = Math.max(0, end - performance.now()) / (hooks.length - index);
    try {
      await within(shareMs, close);
    } catch (error) {
      isClean = false;
      logger.error({ err: errorRecord(error) }, `Unable to close ${name}`);
    }
  }
  return isClean;
}

/** @throws Error after so many ms, whether or not `act` follows its signal */
async function within<T>(ms: number, act: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const expiry = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not done within ${Math.round(ms)} ms`));
      expiry.abort();
    }, ms);
  });
  try {
    return await Promise.race([(async () => act(expiry.signal))(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks all together, however many ask meanwhile; a change is logged. */
function checkOf(opened: readonly Opened[], logger: Logger): Resources['check'] {
  if (opened.every(([resource]) => resource.check === undefined)) return undefined;
  const down = new Set<string>();
  let latest: Promise<readonly string[]> | undefined;
  let validUntil = 0;

  async function checkOne([resource, value]: Opened): Promise<void> {
    const { name } = resource;
    try {
      await within(CHECK_MS, signal => resource.check?.(value, signal));
      if (down.delete(name)) logger.info(`Resource ${name} is available again`);
    } catch (error) {
      if (!down.has(name))
        logger.warn({ err: errorRecord(error) }, `Resource ${name} is unavailable; /readyz answers 503`);
      down.add(name);
    }
  }

  return () => {
    const now = performance.now();
    if (latest === undefined || now >= validUntil) {
      validUntil = Infinity;
      latest = Promise.all(opened.map(checkOne)).then(() => {
        validUntil = performance.now() + CHECK_MS;
        return [...down];
      });
    }
    return latest;
  };
}
