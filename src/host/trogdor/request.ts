import type { IncomingMessage } from 'node:http';
import { under } from '../../core/base/problem.ts';
import { checkSchema } from '../../core/base/schema.ts';
import { coerce } from '../../core/trogdor/coerce.ts';
import { parseExactJson } from '../../core/trogdor/json.ts';
import { matchesRoute, type TrogdorRoute } from '../../core/trogdor/routes.ts';
import { readSpec } from '../../core/trogdor/spec.ts';
import { refused, TrogdorError } from './trogdor-error.ts';

const BODY_BYTES_MAX = 1024 * 1024;

export interface TrogdorRequest {
  /** The last part of the path, decoded, where the route has one. */
  id: string;
  query: URLSearchParams;
  /** Checked against the route's schema; a spec in it has been read. */
  body: unknown;
  /** Address the request comes from. */
  remote: string;
}

/** Finds the route of a request and reads its body. @throws TrogdorError 400, 404, 405, 413 */
export async function readRequest(
  routes: readonly TrogdorRoute[],
  incoming: IncomingMessage,
): Promise<{ route: TrogdorRoute; request: TrogdorRequest }> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  const here = routes.filter((route) => matchesRoute(route, pathname));
  const route = here.find(({ method }) => method === incoming.method);
  if (here.length === 0) throw new TrogdorError(404, `nothing is at ${pathname.slice(0, 200)}`);
  if (!route) {
    const methods = here.map(({ method }) => method).join(', ');
    throw new TrogdorError(405, `${pathname} allows ${methods}, not ${incoming.method}`);
  }
  const body = bodyOf(route, await readBody(incoming));
  const at = route.path.indexOf('{id}');
  const id = at < 0 ? '' : decoded(pathname.slice(at));
  const remote = incoming.socket.remoteAddress ?? '';
  return { route, request: { id, query: searchParams, body, remote } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not an encoding of anything: then it stands for itself, and names nothing.
    return part;
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX)
      throw new TrogdorError(413, `a body may have ${BODY_BYTES_MAX} bytes at most`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bodyOf(route: TrogdorRoute, text: string): unknown {
  if (route.body === undefined) return undefined;
  if (text.trim() === '') {
    if (route.bodyMayBeMissing === true) return coerce(route.body, {});
    throw new TrogdorError(400, 'a JSON body is missing');
  }
  const parsed = parseExactJson(text);
  if (!parsed.ok) throw refused(parsed.problems);
  const body = coerce(route.body, parsed.value);
  const checked = checkSchema(route.body, body);
  const problems = checked.ok ? [] : checked.problems;
  const raw = route.hasSpec === true ? (body as { spec?: unknown } | null)?.spec : undefined;
  const read = raw === undefined ? undefined : readSpec(raw);
  if (read && 'unknownClass' in read) throw refused(under('/spec', [read.unknownClass]), 501);
  if (read && !read.ok) problems.push(...under('/spec', read.problems));
  if (problems.length > 0) throw refused(problems);
  return read?.ok === true ? { ...(body as object), spec: read.value } : body;
}
