import type { TSchema } from 'typebox';
import type { Route } from './api.ts';

/** Errors that every route may answer. */
const COMMON_ERRORS: Readonly<Record<number, string>> = {
  400: 'the request is malformed',
  401: 'a token is missing or not known here',
  403: 'the token may not do this, or the request comes from another site',
  413: 'the body is too large',
  500: 'a bug of the daemon',
};

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    problems: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', description: 'JSON pointer into the request (RFC 6901)' },
          message: { type: 'string' },
          found: { type: 'string' },
          expected: { type: 'string' },
          nearMiss: { type: 'string' },
        },
      },
    },
    conflictsWith: { type: 'string' },
  },
};

interface ObjectSchema {
  properties?: Record<string, unknown>;
  required?: string[];
}

function parameters(route: Route): unknown[] {
  const of = (schema: TSchema | undefined, place: 'path' | 'query'): unknown[] => {
    const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema;
    return Object.entries(properties).map(([name, each]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: each,
    }));
  };
  return [...of(route.pathParams, 'path'), ...of(route.query, 'query')];
}

function responses(route: Route): Record<string, unknown> {
  const type = route.stream ?? 'application/json';
  const found: Record<string, unknown> = {};
  for (const [status, description] of Object.entries(route.answers))
    found[status] =
      status === '101' ? { description } : { description, content: { [type]: { schema: {} } } };
  const problem = {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  };
  const errors = route.access === 'none' ? route.errors : { ...COMMON_ERRORS, ...route.errors };
  for (const [status, description] of Object.entries(errors))
    found[status] = { description, content: problem };
  return found;
}

function operation(route: Route): Record<string, unknown> {
  return {
    operationId: route.name,
    summary: route.summary,
    description: `Access: ${route.access}. ${route.idempotent ? 'Idempotent.' : 'Not idempotent.'}`,
    ...(route.access === 'none' ? { security: [] } : {}),
    parameters: parameters(route),
    ...(route.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }
      : {}),
    responses: responses(route),
  };
}

/** Routes as an OpenAPI 3.1 document: plain JSON, the same for the same routes. */
export function openApiOf(
  routes: readonly Route[],
  info: { title: string; version: string },
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  const document = {
    openapi: '3.1.0',
    info: { ...info, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
  // Typebox keeps marks of its own on schemas; what is left is what JSON says.
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}
