/**
 * The diagnoses as actions of PM2: `pm2 trigger cabe-arena-api cpu 10`. PM2's own agent, which usually offers actions,
 * patches http; here the worker speaks its three messages itself (`lib/Daemon.js` and `lib/God/ActionMethods.js` of PM2 7).
 */
import { orderDiagnosis } from './over-socket.js';
import { DEFAULT_SECONDS, KINDS, parseRequest } from './request.js';

/** The part of `process` that is the channel to PM2; tests bring their own. */
export interface Pm2Port {
  send?(message: object, handle: undefined, options: undefined, done: () => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** @param socketPath of this worker's observer thread */
export function offerActions(socketPath: string, port: Pm2Port = process): void {
  // Without a callback, a channel that PM2 has left meanwhile is an uncaught exception.
  const send = (message: object): void => void port.send?.(message, undefined, undefined, () => undefined);
  port.on('message', message => {
    const { name, argument } = actionIn(message);
    if (KINDS.every(kind => kind !== name)) return;
    void act(name, argument, socketPath).then(answer =>
      send({ type: 'axm:reply', data: { action_name: name, return: answer } }),
    );
  });
  for (const kind of KINDS)
    send({
      type: 'axm:action',
      data: { action_name: kind, action_type: 'custom', arity: kind === 'cpu' ? 2 : 1, opts: {} },
    });
}

/** PM2 sends the name of the action alone, or with a parameter: `{ msg, opts }`. */
function actionIn(message: unknown): { readonly name: string; readonly argument: string | undefined } {
  if (typeof message === 'string') return { name: message, argument: undefined };
  const { msg, opts } = (message ?? {}) as { msg?: unknown; opts?: unknown };
  return { name: typeof msg === 'string' ? msg : '', argument: typeof opts === 'string' ? opts : undefined };
}

async function act(kind: string, argument: string | undefined, socketPath: string): Promise<object> {
  const order = parseRequest({ kind, seconds: argument === undefined ? DEFAULT_SECONDS : Number(argument) });
  return typeof order === 'string' ? { ok: false, reason: order } : orderDiagnosis(socketPath, order);
}
