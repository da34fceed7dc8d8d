/**
 * What the supervisor in charge and its successor say to each other, and its validation on both sides: they may be of
 * different versions. The successor gets a channel as descriptor 3, the listening sockets from descriptor 4 on, and the
 * rest in the variable {@link HANDOVER}:
 *
 * ```
 *  in charge                                successor
 *      │ ── fork, sockets, handover ──────────> │  starts its workers
 *      │ <─ cabe:upgrade.ready ──────────────── │  they serve, and are stable
 *      │ ── cabe:upgrade.take-over ───────────> │  takes control socket and service manager
 *      │ <─ cabe:upgrade.taken ──────────────── │  is in charge
 *   drains
 * ```
 *
 * A channel that closes before `take-over` ends the successor; until `taken` a failure leaves the old one in charge.
 */
import { HANDOVER } from '../../protocol/messages.js';
import type { Inherited, ListenerMode, OpenSocket } from '../processes/listener.js';

/** The first descriptor of a socket, behind the standard streams and the channel. */
const FIRST_SOCKET_FD = 4;

export interface Handover extends Inherited {
  /** The number of the service. */
  readonly service: number;
  readonly wanted: number;
  readonly fromFile: number;
}

export type ToSuccessor = { readonly type: 'cabe:upgrade.take-over' };

export type FromSuccessor =
  | { readonly type: 'cabe:upgrade.ready' }
  | { readonly type: 'cabe:upgrade.taken' }
  /** It ends; the reason is one line. */
  | { readonly type: 'cabe:upgrade.failed'; readonly reason: string };

const MODES: readonly ListenerMode[] = ['per-slot', 'shared'];

/** The variable for a successor whose `stdio` has these sockets in this order. */
export function handoverVariable(handover: Handover, from = process.pid): Record<string, string> {
  const sockets = handover.sockets.map(({ slot, address }) => ({ slot, address }));
  return { [HANDOVER]: JSON.stringify({ ...handover, sockets, from }) };
}

/**
 * Takes the variable out of the environment.
 * @returns nothing in a process that no supervisor has started to replace it
 */
export function takeHandover(env: NodeJS.ProcessEnv, parent = process.ppid): Handover | undefined {
  const { [HANDOVER]: text } = env;
  delete env[HANDOVER];
  if (text === undefined || process.send === undefined) return undefined;
  const { from, mode, sockets, service, wanted, fromFile } = JSON.parse(text) as Handover & { from: number };
  if (from !== parent || !MODES.includes(mode)) return undefined;
  const opened = sockets.map(({ slot, address }, index): OpenSocket => {
    return {
      slot,
      fd: FIRST_SOCKET_FD + index,
      address: address && { port: address.port, host: address.host },
    };
  });
  return { mode, sockets: opened, service, wanted, fromFile };
}

/** How many slots have a socket. */
export const socketCount = ({ mode, sockets }: Inherited): number =>
  mode === 'per-slot' ? Math.max(0, ...sockets.map(({ slot }) => slot + 1)) : 0;

export function parseFromSuccessor(value: unknown): FromSuccessor | undefined {
  const { type, reason } = (value ?? {}) as Record<string, unknown>;
  if (type === 'cabe:upgrade.ready' || type === 'cabe:upgrade.taken') return { type };
  return type === 'cabe:upgrade.failed' && typeof reason === 'string' ? { type, reason } : undefined;
}

export const isTakeOver = (value: unknown): value is ToSuccessor =>
  (value as ToSuccessor | undefined)?.type === 'cabe:upgrade.take-over';
