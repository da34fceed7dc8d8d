import type { IRouter, RequestHandler } from 'express';
import { Problem } from '../http/problems.js';

/** A route that knows one method; every other is answered with 405 and what would be allowed (RFC 9110, 15.5.6). */
export function only(router: IRouter, method: 'GET' | 'POST', path: string, handler: RequestHandler): void {
  const allowed = method === 'GET' ? 'GET, HEAD' : method;
  const route = router.route(path);
  if (method === 'GET') route.get(handler);
  else route.post(handler);
  route.all((request, response) => {
    response.setHeader('Allow', allowed);
    throw new Problem(405, `${request.method} is not allowed here`);
  });
}
