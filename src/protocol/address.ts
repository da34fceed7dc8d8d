import { isIP } from 'node:net';

/** Where a service listens; no host means every address of both families. */
export interface Address {
  readonly port: number;
  readonly host: string | undefined;
}

/**
 * The same address with its name looked up, as `listen` would do it: supervisor and worker must mean the same socket.
 * @throws Error ENOTFOUND, EAI_AGAIN…
 */
export async function lookedUp({ port, host }: Address): Promise<Address> {
  if (host === undefined || isIP(host) !== 0) return { port, host };
  // Few services name their host: the others do without the resolver and its 0.2 MB.
  const { lookup } = require('node:dns/promises') as typeof import('node:dns/promises');
  const { address } = await lookup(host);
  return { port, host: address };
}
