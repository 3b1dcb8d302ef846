import { PythonTypes, pascal, snake, type Schema } from './types.ts';

/** As much of an OpenAPI 3.1 document as the client is made from. */
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

interface Operation {
  operationId: string;
  summary: string;
  parameters?: { name: string; in: 'path' | 'query'; schema: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
}

const HEADER = `# Made by tools/python-client.ts from docs/reference/openapi-coordinator.json. Do not edit.
"""The coordinator's REST API, every route with its types."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Literal, Optional, TypedDict, Union

from .transport import Transport
`;

const JSON_TYPE = 'application/json';

/** What a route answers, and how it is read: as JSON, as text or a line at a time. */
function answerOf(operation: Operation, types: PythonTypes): { type: string; read: string } {
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const contents = good.flatMap(([, response]) => Object.entries(response.content ?? {}));
  const [kind = JSON_TYPE, { schema = {} } = {}] = contents[0] ?? [];
  if (kind === 'text/plain') return { type: 'str', read: 'text' };
  if (kind === 'text/event-stream') return { type: 'Iterator[Dict[str, Any]]', read: 'events' };
  if (kind === 'application/jsonl') return { type: 'Iterator[Dict[str, Any]]', read: 'lines' };
  return { type: types.of(schema, `${pascal(operation.operationId)}Answer`), read: 'json' };
}

function methodOf(method: string, path: string, operation: Operation, types: PythonTypes): string {
  const name = snake(operation.operationId);
  const parameters = operation.parameters ?? [];
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const body = operation.requestBody?.content?.[JSON_TYPE]?.schema;
  const answer = answerOf(operation, types);
  const typeOf = (parameter: { name: string; schema: Schema }): string =>
    types.of(parameter.schema, pascal(operation.operationId) + pascal(parameter.name));
  const signature = [
    'self',
    ...inPath.map((one) => `${snake(one.name)}: ${typeOf(one)}`),
    ...(body ? [`body: ${types.of(body, `${pascal(operation.operationId)}Body`)}`] : []),
    ...(inQuery.length > 0 ? ['*'] : []),
    ...inQuery.map((one) => `${snake(one.name)}: Optional[${typeOf(one)}] = None`),
  ];
  const query = inQuery.map((one) => `${JSON.stringify(one.name)}: ${snake(one.name)}`).join(', ');
  const call = [
    JSON.stringify(method.toUpperCase()),
    JSON.stringify(path),
    `{${inPath.map((one) => `${JSON.stringify(one.name)}: ${snake(one.name)}`).join(', ')}}`,
    `{${query}}`,
    ...(body ? ['body'] : []),
  ];
  return `    def ${name}(
        ${signature.join(',\n        ')},
    ) -> ${answer.type}:
        """${operation.summary}"""
        answer: ${answer.type} = self._transport.${answer.read}(
            ${call.join(',\n            ')},
        )
        return answer
`;
}

/** The module of the REST client: a method a route, a TypedDict a shape. */
export function restModule(document: OpenApi): string {
  const types = new PythonTypes();
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    types.declare(schema, name);
  }
  const methods = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) =>
      methodOf(method, path, operation, types),
    ),
  );
  return `${HEADER}
${types.classes.join('\n\n')}


class Rest:
    """Every route of the coordinator, as a method of the route's name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

${methods.join('\n')}`;
}
