import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { streamEvents } from './event-stream.ts';
import type { Reply } from './handler.ts';
import type { HttpProblem } from './http-problem.ts';

/** The event streams of a server. */
export interface EventStreams {
  /** How to end each open one. */
  open: Set<() => void>;
  heartbeatMs?: number;
}

export function sendProblem(reply: FastifyReply, problem: HttpProblem): FastifyReply {
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(jsonBytes(problem.details()));
}

/** As bytes: fastify would add a charset to a text, and JSON has none (RFC 8259, 11). */
function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value ?? null));
}

/** Answers a request as its handler says. */
export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Reply,
  streams: EventStreams,
): FastifyReply {
  if ('events' in answer) {
    reply.hijack();
    startEvents(request, reply.raw, answer, streams);
    return reply;
  }
  reply.code(answer.status).header('cache-control', 'no-store');
  reply.header('x-content-type-options', 'nosniff');
  if ('text' in answer)
    return reply.type(answer.contentType ?? 'text/plain; charset=utf-8').send(answer.text);
  if ('stream' in answer)
    return reply.type(answer.contentType ?? 'application/jsonl').send(answer.stream);
  if ('lines' in answer)
    return reply.type('application/jsonl').send(Readable.from(jsonLines(answer.lines)));
  reply.headers(answer.headers ?? {});
  return reply.type('application/json').send(jsonBytes(answer.body));
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

function startEvents(
  request: FastifyRequest,
  response: ServerResponse,
  answer: Extract<Reply, { events: unknown }>,
  { open, heartbeatMs }: EventStreams,
): void {
  const header = request.headers['last-event-id'];
  const query = (request.query as Record<string, string>)['after'];
  const text = typeof header === 'string' && /^[0-9]{1,15}$/.test(header) ? header : query;
  const end = streamEvents(
    response,
    answer.events,
    text === undefined ? undefined : Number(text),
    answer.wanted ?? (() => true),
    heartbeatMs,
  );
  open.add(end);
  response.on('close', () => open.delete(end));
}
