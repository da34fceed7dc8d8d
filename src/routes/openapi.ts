/** The description of the API, as OpenAPI 3.1: made of what was declared with `methods`, and of the schemas of `validated`. */
import type { IRouter, RequestHandler } from 'express';
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { NAME, VERSION } from '../version.js';
import { declaredOn, METHODS } from './methods.js';
import { endpointOf, type Endpoint } from './validated.js';

/** A router, and where it is mounted. */
export interface Mounted {
  readonly path: string;
  readonly router: IRouter;
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schema's dialect of OpenAPI 3.1. */
const TARGET = { target: 'draft-2020-12' } as const;

/** @throws what a schema throws that cannot be described */
export function describe(mounted: readonly Mounted[]): object {
  const paths = mounted.flatMap(({ path, router }) =>
    [...declaredOn(router)].map(([below, handlers]) => {
      const whole = `${path}/${below}`.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
      const operations = METHODS.flatMap(method => {
        const list = [handlers[method] ?? []].flat();
        return list.length === 0 ? [] : [[method, operation(whole, list)]];
      });
      return [templateOf(whole), Object.fromEntries(operations)];
    }),
  );
  return {
    openapi: '3.1.1',
    info: { title: NAME, version: VERSION },
    paths: Object.fromEntries(paths) as object,
    components: { schemas: { Problem: PROBLEM } },
  };
}

/** `/games/:id` of Express is `/games/{id}` here; a part that may be missing is described as present. */
const templateOf = (path: string): string => path.replaceAll(/[{}]/g, '').replaceAll(NAMED, '{$1}');

const NAMED = /[:*](\w+)/g;

function operation(path: string, handlers: readonly RequestHandler[]): object {
  const endpoint: Endpoint = handlers.map(endpointOf).find(found => found !== undefined) ?? {};
  const { summary, body, answers = { 200: 'OK' } } = endpoint;
  const parameters = [
    ...parametersOf('path', endpoint.params, namesIn(path)),
    ...parametersOf('query', endpoint.query),
  ];
  return {
    ...(summary === undefined ? {} : { summary }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: json(schemaOf(body, 'input')) } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
      default: {
        description: 'A problem (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const namesIn = (path: string): string[] => [...path.matchAll(NAMED)].map(([, name = '']) => name);

/** Each property of an object is a parameter; those of a path are always required. */
function parametersOf(
  place: 'path' | 'query',
  schema?: StandardSchemaV1,
  named: readonly string[] = [],
): object[] {
  const { properties = {}, required = [] } = (schema === undefined ? {} : schemaOf(schema, 'input')) as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  const names = place === 'path' ? named : Object.keys(properties);
  return names.map(name => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: properties[name] ?? { type: 'string' },
  }));
}

const responseOf = (answer: StandardSchemaV1 | string): object =>
  typeof answer === 'string'
    ? { description: answer }
    : { description: 'OK', content: json(schemaOf(answer, 'output')) };

const json = (schema: JsonSchema): object => ({ 'application/json': { schema } });

/** What a library does not describe (Standard JSON Schema) may be anything. */
function schemaOf(schema: StandardSchemaV1, direction: 'input' | 'output'): JsonSchema {
  const { jsonSchema } = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>;
  const { $schema: _dialect, ...described } = jsonSchema?.[direction](TARGET) ?? {};
  return described;
}

/** The form of every error (`http/problems.ts`). */
const PROBLEM: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['in', 'pointer', 'detail'],
        properties: {
          in: { enum: ['params', 'query', 'body'] },
          pointer: { type: 'string' },
          detail: { type: 'string' },
        },
      },
    },
  },
};
