import type { Readable } from 'node:stream';
import type { EventFeed } from './event-log.ts';
import type { Identity } from './tokens.ts';

/** A request that passed authentication and its route's schemas. */
export interface RouteRequest {
  params: Record<string, string>;
  query: Record<string, string>;
  /** Checked against the route's body schema. */
  body: unknown;
  identity: Identity;
  /** Address the request comes from. */
  remote: string;
  /** Our address it came in on. */
  local: string;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}

/** What a handler answers; errors are thrown as HttpProblem. */
export type Reply =
  | { status: number; body: unknown; headers?: Record<string, string> }
  /** Of the route's own content type (Prometheus text). */
  | { status: number; text: string; contentType?: string }
  /** JSON lines, one value a line. */
  | { status: number; lines: AsyncIterable<unknown> }
  /** Bytes as they are (a file of JSON lines). */
  | { status: number; stream: Readable; contentType?: string }
  | { events: EventFeed; wanted?: (event: { id: number }) => boolean };

export type Handler = (request: RouteRequest) => Promise<Reply> | Reply;
