/** The one way to declare an endpoint: its path with all of its methods. */
import type { IRouter, RequestHandler } from 'express';
import { Problem } from '../http/problems.js';

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Method = (typeof METHODS)[number];

/** A handler, or several in a row (a middleware of this method only comes first). */
export type Handlers = Readonly<Partial<Record<Method, RequestHandler | readonly RequestHandler[]>>>;

/** What was declared on each router, for the description of the API. */
const declared = new WeakMap<IRouter, Map<string, Handlers>>();

/** The paths that were declared on this router, with their handlers. */
export const declaredOn = (router: IRouter): ReadonlyMap<string, Handlers> =>
  declared.get(router) ?? new Map();

/**
 * Declares all methods of a path. HEAD is answered like GET, without the body; OPTIONS with what is allowed; every other
 * method with 405 (RFC 9110, 15.5.6).
 * @throws Error if this router has the path already: its other methods would be answered with 405
 */
export function methods(router: IRouter, path: string, handlers: Handlers): void {
  const paths = declared.get(router) ?? new Map<string, Handlers>();
  if (paths.has(path)) throw new Error(`${path} is declared twice: declare all of its methods at once`);
  declared.set(router, paths.set(path, handlers));

  const route = router.route(path);
  const known = METHODS.filter(method => handlers[method] !== undefined);
  for (const method of known) route[method](...[handlers[method] ?? []].flat());
  const allowed = known.flatMap(method => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  route.all((request, response) => {
    response.setHeader('Allow', allowed.join(', '));
    if (request.method !== 'OPTIONS') throw new Problem(405, `${request.method} is not allowed here`);
    response.status(204).end();
  });
}
