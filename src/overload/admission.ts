/** Which requests this worker handles: OVERLOAD_PROTECTION and MAX_CONNECTIONS. Probes are always answered. */
import type { IncomingMessage, Server } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Config } from '../config.js';
import { refuse } from '../http/problems.js';
import { isProbe } from '../routes/health.js';
import type { Logger } from '../utils/logger.js';
import { limitConnections } from './connection-limit.js';
import { protectFromOverload } from './overload-protection.js';
import { createTurns } from './turns.js';

/** Why a request or a connection is refused. */
export type RefusalReason = 'overload' | 'connections';

export interface AdmissionNeeds {
  readonly config: Config;
  readonly logger: Logger;
  onRefusal(reason: RefusalReason): void;
}

export interface Admission {
  /** Comes before anything that reads a body. */
  readonly handler: RequestHandler;
  /** Counts the connections of this server. */
  watch(server: Server): void;
  /** Whether requests for an upgrade on this connection are refused; it is counted then. */
  refusesUpgrade(request: IncomingMessage): boolean;
}

/** Overload that goes on is logged again after this time. */
const LOG_INTERVAL_MS = 10_000;

/** @returns nothing where every request is handled */
export function createAdmission({ config, logger, onRefusal }: AdmissionNeeds): Admission | undefined {
  const { overloadProtection, maxConnections } = config;
  if (!overloadProtection && maxConnections === undefined) return undefined;
  const connections =
    maxConnections === undefined
      ? undefined
      : limitConnections(maxConnections, () => onRefusal('connections'));
  const turns = createTurns();
  const protect: RequestHandler = overloadProtection
    ? protectFromOverload({
        turns,
        refuse(request, response) {
          onRefusal('overload');
          refuse(request, response, 'This worker has more requests than it can answer in time');
        },
        onOverload: overloadLog(logger),
      })
    : (_request, _response, next) => next();

  const isAboveLimit = ({ socket }: IncomingMessage): boolean => connections?.isRefused(socket) ?? false;

  function refuseConnection(...exchange: [Request, Response]): void {
    onRefusal('connections');
    refuse(...exchange, 'This worker has as many connections as it may have');
  }

  return {
    watch(server) {
      connections?.watch(server);
      if (overloadProtection) server.on('connection', turns.noteArrival);
    },
    handler(request, response, next) {
      const isRefused = isAboveLimit(request);
      if (isRefused) response.shouldKeepAlive = false;
      if (isProbe(request.url)) next();
      else if (isRefused) refuseConnection(request, response);
      else void protect(request, response, next);
    },
    refusesUpgrade(request) {
      const isRefused = isAboveLimit(request);
      if (isRefused) onRefusal('connections');
      return isRefused;
    },
  };
}

function overloadLog(logger: Logger): (limit: number, delayP99Ms: number) => void {
  let loggedAt = -Infinity;
  return (limit, delayP99Ms) => {
    const now = performance.now();
    if (now - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = now;
    logger.warn(
      { limit, delayP99Ms },
      `Worker ${process.pid} is overloaded: requests wait ${delayP99Ms} ms, more than ${limit} in flight are refused`,
    );
  };
}
