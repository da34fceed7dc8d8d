/**
 * Handlers whose input is validated before they run, with any library that implements Standard Schema (zod 4, valibot,
 * arktype). The types of the input come from the schemas, and so does the description of the API (`openapi.ts`).
 */
import type { Request, RequestHandler, Response } from 'express';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Problem } from '../http/problems.js';

/** The parts of a request that can be validated, in the order in which their errors are listed. */
const PARTS = ['params', 'query', 'body'] as const;
type Part = (typeof PARTS)[number];

export interface Endpoint extends Readonly<Partial<Record<Part, StandardSchemaV1>>> {
  /** For the description of the API. */
  readonly summary?: string;
  /** For the description of the API: by status, a schema, or what it means in words. Answers are not validated. */
  readonly answers?: Readonly<Record<number, StandardSchemaV1 | string>>;
}

/** What the schemas make of a request. */
export type Valid<E extends Endpoint> = {
  readonly [P in Part as E[P] extends StandardSchemaV1 ? P : never]: E[P] extends StandardSchemaV1
    ? StandardSchemaV1.InferOutput<E[P]>
    : never;
};

/** One thing that is wrong with a request. */
interface Fault {
  readonly in: Part;
  /** Where in this part, as a JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

const endpoints = new WeakMap<RequestHandler, Endpoint>();

/** The schemas of a handler that {@link validated} has made. */
export const endpointOf = (handler: RequestHandler): Endpoint | undefined => endpoints.get(handler);

/**
 * Makes a handler that runs with valid input only. Otherwise the answer is a problem with `errors`: 422 if only the body
 * is wrong, else 400; 415 for a body of a type that no parser reads.
 */
export function validated<E extends Endpoint>(
  endpoint: E,
  handle: (valid: Valid<E>, request: Request, response: Response) => unknown,
): RequestHandler {
  const handler: RequestHandler = async (request, response) => {
    const valid: Partial<Record<Part, unknown>> = {};
    const faults: Fault[] = [];
    for (const part of PARTS) {
      const schema = endpoint[part];
      if (schema === undefined) continue;
      if (part === 'body' && request.body === undefined && hasBody(request))
        throw new Problem(415, 'The body must be application/json');
      const result = await schema['~standard'].validate(request[part]);
      if (result.issues === undefined) valid[part] = result.value;
      else faults.push(...result.issues.map(issue => faultOf(part, issue)));
    }
    if (faults.length > 0) throw invalid(faults);
    await handle(valid as Valid<E>, request, response);
  };
  endpoints.set(handler, endpoint);
  return handler;
}

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function faultOf(part: Part, { message, path = [] }: StandardSchemaV1.Issue): Fault {
  const keys = path.map(segment => String(typeof segment === 'object' ? segment.key : segment));
  const pointer = keys.map(key => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { in: part, pointer: `#${pointer}`, detail: message };
}

function invalid(errors: readonly Fault[]): Problem {
  const isBody = errors.every(fault => fault.in === 'body');
  return new Problem(isBody ? 422 : 400, 'The request is not valid', { errors });
}
