/** A feature of the API: its routes, and the resources they need. `src/api.ts` lists all of them. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Router } from 'express';
import type { Config } from '../config.js';
import type { Logger } from '../utils/logger.js';

/** The opened value of a resource. @throws Error for one that is not open: no feature lists it, or a later one does */
export type Use = <T>(resource: Resource<T>) => T;

/**
 * Something that is opened before the worker listens, and closed when all requests are answered: a pool, a queue. Two
 * features that list the same object share it.
 */
export interface Resource<T> {
  /** For the log. */
  readonly name: string;
  /** Time for `open`, in ms; without it 8 s, which is less than `listen_timeout` of the app file. */
  readonly openTimeoutMs?: number;
  /** A failure ends the boot: the worker exits with 1, and its supervisor tries again. */
  open(needs: OpenNeeds): T | Promise<T>;
  /** Rejects while the resource is unavailable: `/readyz` then answers 503. Asked once a second at most, for 1 s. */
  check?(value: T, signal: AbortSignal): unknown;
  /** Shares `CLOSE_TIMEOUT_MS` with all others. */
  close?(value: T, deadline: AbortSignal): unknown;
}

export interface OpenNeeds {
  readonly config: Config;
  readonly logger: Logger;
  /** Resources that were opened before. */
  readonly use: Use;
  /** Aborted after `openTimeoutMs`. */
  readonly signal: AbortSignal;
}

/** What the routes of a feature get. */
export interface Context {
  readonly config: Config;
  readonly logger: Logger;
  readonly use: Use;
  /**
   * Aborted when the drain begins: the worker accepts no connection any more. Long answers (streams, server-sent events)
   * should end now, they are cut after `DRAIN_TIMEOUT_MS`; upgraded connections are closed after a second.
   */
  readonly draining: AbortSignal;
}

/** Takes over a connection, as a listener of Node's `upgrade` event does; `id` is the id of the request. */
export type UpgradeHandler = (
  request: IncomingMessage & { readonly id: string },
  socket: Duplex,
  head: Buffer,
) => unknown;

export interface Feature {
  readonly resources?: readonly Resource<unknown>[];
  /** Where its router is mounted; without it `/api`. */
  readonly path?: string;
  routes?(router: Router, context: Context): void;
  /** Called once, after the routes: a handler for each whole path (`/api/chat`). */
  upgrades?(context: Context): Readonly<Record<string, UpgradeHandler>>;
}
