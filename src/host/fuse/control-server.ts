import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Type } from 'typebox';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { shortHash } from '../../core/base/hash.ts';
import { checkSchema } from '../../core/base/schema.ts';
import type { Problem } from '../../core/base/problem.ts';
import { parseSpecification } from '../../core/disk/check.ts';
import type { Control } from './control.ts';

/** Where the control of a mount listens: outside the mount, so that no fault can lock it out. */
export function controlPath(mountPoint: string): string {
  return `/run/faultline/disk/${shortHash(mountPoint)}.sock`;
}

const MAX_BODY_BYTES = 1 << 20;

const PowerCut = Type.Object(
  {
    loss: Type.Enum(['all', 'subset', 'torn', 'reordered']),
    seed: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);

class Refused extends Error {
  readonly status: number;
  readonly problems: Problem[];

  constructor(status: number, title: string, problems: Problem[] = []) {
    super(title);
    this.status = status;
    this.problems = problems;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES)
      throw new Refused(413, `a body of more than ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function answer(
  control: Control,
  stop: () => void,
  request: IncomingMessage,
): Promise<unknown> {
  const route = `${request.method} ${request.url}`;
  switch (route) {
    case 'GET /v1/disk':
      return control.state();
    case 'GET /v1/disk/events':
      return { events: control.events };
    case 'PUT /v1/disk': {
      const checked = parseSpecification(await bodyOf(request));
      if (!checked.ok) throw new Refused(422, 'the specification is refused', checked.problems);
      await control.set(checked.value);
      return control.state();
    }
    case 'DELETE /v1/disk':
      await control.clear();
      return control.state();
    case 'POST /v1/disk/powercut': {
      const checked = checkSchema(PowerCut, JSON.parse((await bodyOf(request)) || '{}'));
      if (!checked.ok) throw new Refused(422, 'the power cut is refused', checked.problems);
      return { files: await control.powerCut(checked.value.loss, checked.value.seed ?? 0) };
    }
    case 'POST /v1/disk/stop':
      stop();
      return {};
    default:
      throw new Refused(404, `no such route: ${route}`);
  }
}

function fail(response: ServerResponse, error: unknown): void {
  const status = error instanceof Refused ? error.status : error instanceof Failure ? 409 : 400;
  const problems = error instanceof Refused ? error.problems : [];
  const code = error instanceof Failure ? error.code : undefined;
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ title: reasonOf(error), status, code, problems }));
}

/**
 * Listens on a Unix socket (0600) for the mount's control.
 * @param stop unmounts and ends the process.
 * @throws where the socket is in use.
 */
export async function serveControl(
  control: Control,
  path: string,
  stop: () => void,
): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    answer(control, stop, request).then(
      (body) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      },
      (error: unknown) => fail(response, error),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}
