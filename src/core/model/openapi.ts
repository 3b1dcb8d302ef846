import type { TSchema } from 'typebox';
import type { Route } from './api.ts';

export interface ApiInfo {
  title: string;
  version: string;
  description?: string;
}

type JsonObject = Record<string, unknown>;

const PROBLEM_REF = { $ref: '#/components/schemas/ProblemDetails' };

/** RFC 9457, with all problems of a document. */
const PROBLEM_DETAILS: JsonObject = {
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
          path: { type: 'string', description: 'JSON pointer into the body, ?name or {name}' },
          message: { type: 'string' },
          found: { type: 'string' },
          expected: { type: 'string' },
          nearMiss: { type: 'string' },
        },
      },
    },
    conflictsWith: { type: 'string', description: 'what stands in the way' },
  },
};

/** Errors that every route may answer. */
const COMMON_ERRORS: Readonly<Record<number, string>> = {
  400: 'JSON that is none, or a bad path or query',
  401: 'no token, or one that is not known',
  403: 'the token may not, or another site asks',
  413: 'a body larger than 1 MiB',
  415: 'a body that is not application/json',
  500: 'an unexpected error',
};

class Components {
  readonly schemas: JsonObject = { ProblemDetails: PROBLEM_DETAILS };

  /** The schema with a reference wherever a part has a name: the same one then stands once. */
  use(schema: TSchema): JsonObject {
    // Typebox keeps its own marks in properties that JSON leaves out.
    return this.#named(JSON.parse(JSON.stringify(schema))) as JsonObject;
  }

  #named(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#named(each));
    if (typeof value !== 'object' || value === null) return value;
    const { $id: name, ...rest } = value as JsonObject;
    const inside = Object.fromEntries(
      Object.entries(rest).map(([key, each]) => [key, this.#named(each)]),
    );
    if (typeof name !== 'string') return inside;
    this.schemas[name] = inside;
    return { $ref: `#/components/schemas/${name}` };
  }
}

function parameters(route: Route, components: Components): JsonObject[] {
  const out: JsonObject[] = [];
  for (const [place, schema] of [
    ['path', route.pathParams],
    ['query', route.query],
  ] as const) {
    const { properties = {}, required = [] } = (schema ?? {}) as {
      properties?: Record<string, TSchema>;
      required?: string[];
    };
    for (const [name, property] of Object.entries(properties)) {
      const used = components.use(property);
      const parameter: JsonObject = { name, in: place, required: place === 'path' };
      if (required.includes(name)) parameter['required'] = true;
      if (typeof used['description'] === 'string') parameter['description'] = used['description'];
      out.push({ ...parameter, schema: used });
    }
  }
  if (route.stream === 'text/event-stream')
    out.push({
      name: 'Last-Event-ID',
      in: 'header',
      required: false,
      description: 'resume after this event',
      schema: { type: 'string' },
    });
  return out;
}

function responses(route: Route, components: Components): JsonObject {
  const out: JsonObject = {};
  for (const [status, description] of Object.entries(route.answers)) {
    const schema = route.answer === undefined ? {} : components.use(route.answer);
    const type = route.stream ?? 'application/json';
    const content = { [type]: { schema: route.stream ? { type: 'string' } : schema } };
    out[status] = status === '101' ? { description } : { description, content };
    const isCreated = status === '201';
    if (isCreated)
      Object.assign(out[status] as JsonObject, {
        headers: { Location: { description: 'where it is', schema: { type: 'string' } } },
      });
  }
  for (const [status, description] of Object.entries({ ...COMMON_ERRORS, ...route.errors }))
    out[status] = {
      description,
      content: { 'application/problem+json': { schema: PROBLEM_REF } },
    };
  return out;
}

function operation(route: Route, components: Components): JsonObject {
  const made: JsonObject = {
    operationId: route.name,
    summary: route.summary,
    'x-access': route.access,
    'x-idempotent': route.idempotent,
    security: route.access === 'none' ? [] : [{ bearer: [] }],
    responses: responses(route, components),
  };
  const all = parameters(route, components);
  if (all.length > 0) made['parameters'] = all;
  if (route.body)
    made['requestBody'] = {
      required: true,
      content: { 'application/json': { schema: components.use(route.body) } },
    };
  return made;
}

/** An API as OpenAPI 3.1, out of its routes. */
export function openApiOf(routes: readonly Route[], info: ApiInfo): JsonObject {
  const components = new Components();
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route, components);
  }
  return {
    openapi: '3.1.0',
    info: { ...info, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}
