import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Type } from 'typebox';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { checkSchema } from '../../core/base/schema.ts';
import type { Checked, Problem } from '../../core/base/problem.ts';
import { parseSpecification } from '../../core/disk/check.ts';
import { NAME_MODELS } from '../../core/disk/names.ts';
import { checkSingle, Terms } from '../../core/disk/single.ts';
import { Refusal, type Control } from './control.ts';
import { removeDeadSockets } from './dead-sockets.ts';

const MAX_BODY_BYTES = 1 << 20;

/**
 * The control's routes. Bodies and answers are JSON; a refusal (422) has `problems` and changes nothing.
 * What is not in force in time (409) is not taken back: an agent ends it, a person may.
 *
 *   GET    /v1/disk                    DiskState
 *   PUT    /v1/disk                    a specification: replaces the one before, no other fault
 *   DELETE /v1/disk                    the empty specification
 *   GET    /v1/disk/faults/ID          FaultState, also of one that ended not long ago (`endedBy`)
 *   PUT    /v1/disk/faults/ID          a fault beside the others: match, when, fault, seed, owner,
 *                                      trackUnsynced, deadlineMs, leaseMs. The same again renews it
 *                                      and keeps its counters; another replaces it
 *   POST   /v1/disk/faults/ID/renew    deadlineMs, leaseMs from now on; 404 where it has ended
 *   GET    /v1/disk/faults/ID/example  { path } of a file that it takes, from the mount's root; {}
 *                                      where none was found
 *   DELETE /v1/disk/faults/ID          ends it; {} where there never was one
 *   GET    /v1/disk/events             ?after=NUMBER&waitMs=N: the events after that one, waiting
 *                                      for the next where there is none; and how often each fault
 *                                      has hit so far, by its id: events are not kept for every hit
 *   POST   /v1/disk/powercut           loss, seed, names (what an fsync makes durable of names:
 *                                      posix, own or journal): { files, names } that were lost
 *   POST   /v1/disk/stop               unmounts and ends the process
 *
 * All but events answer when what was asked is in force, also for what is open, cached and mapped.
 */
const PowerCut = Type.Object(
  {
    loss: Type.Enum(['all', 'subset', 'torn', 'reordered']),
    seed: Type.Optional(Type.Integer({ minimum: 0 })),
    names: Type.Optional(Type.Enum([...NAME_MODELS])),
  },
  { additionalProperties: false },
);

const LONGEST_WAIT_MS = 60_000;

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

/** @throws Refused */
async function documentOf<T>(
  request: IncomingMessage,
  what: string,
  check: (document: unknown) => Checked<T>,
): Promise<T> {
  let document: unknown;
  try {
    document = JSON.parse((await bodyOf(request)) || '{}');
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(422, `${what} is refused`, [
      { path: '', message: `not JSON: ${reasonOf(error)}` },
    ]);
  }
  const checked = check(document);
  if (!checked.ok) throw new Refused(422, `${what} is refused`, checked.problems);
  return checked.value;
}

/** One fault by its id. */
async function answerOne(
  control: Control,
  request: IncomingMessage,
  id: string,
  verb: string,
): Promise<unknown> {
  switch (`${request.method} ${verb}`) {
    case 'GET ': {
      const state = control.find(id);
      if (state === undefined) throw new Refused(404, `no such fault: ${id}`);
      return state;
    }
    case 'GET example':
      return { path: control.example(id) };
    case 'PUT ':
      return control.setOne(
        id,
        await documentOf(request, 'the fault', (document) => checkSingle(id, document)),
      );
    case 'POST renew': {
      const terms = await documentOf(request, 'the renewal', (document) =>
        checkSchema(Terms, document),
      );
      const state = await control.renew(id, terms);
      if (state === undefined) throw new Refused(404, `no such fault stands: ${id}`);
      return state;
    }
    case 'DELETE ':
      return (await control.remove(id)) ?? {};
    default:
      throw new Refused(404, `no such route: ${request.method} ${request.url}`);
  }
}

async function answer(
  control: Control,
  stop: () => void,
  request: IncomingMessage,
): Promise<unknown> {
  const url = new URL(request.url ?? '', 'http://control');
  const one = /^\/v1\/disk\/faults\/([^/]+)(?:\/(example|renew))?$/.exec(url.pathname);
  if (one?.[1] !== undefined) return answerOne(control, request, one[1], one[2] ?? '');
  const route = `${request.method} ${url.pathname}`;
  switch (route) {
    case 'GET /v1/disk':
      return control.state();
    case 'GET /v1/disk/events': {
      const after = Number(url.searchParams.get('after') ?? 0);
      const waitMs = Math.min(Number(url.searchParams.get('waitMs') ?? 0), LONGEST_WAIT_MS);
      const events = await control.events.after(after || 0, waitMs || 0);
      return { events, hits: control.hits() };
    }
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
      const {
        loss,
        seed = 0,
        names = 'own',
      } = await documentOf(request, 'the power cut', (document) => checkSchema(PowerCut, document));
      return control.powerCut({ loss, seed, names });
    }
    case 'POST /v1/disk/stop':
      stop();
      return {};
    default:
      throw new Refused(404, `no such route: ${route}`);
  }
}

function fail(response: ServerResponse, error: unknown): void {
  const refused = error instanceof Refused || error instanceof Refusal;
  const worldly = error instanceof Failure ? 409 : 500;
  const status = error instanceof Refused ? error.status : refused ? 422 : worldly;
  const problems = refused ? error.problems : [];
  const code = error instanceof Failure ? error.code : undefined;
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ title: reasonOf(error), status, code, problems }));
}

export interface ControlServer {
  server: Server;
  /** Takes its socket away, unless another process listens there by now. */
  remove(): void;
}

/**
 * Listens on a Unix socket (0600) for the mount's control; answers once there is one. A process that was
 * unmounted may live on for whoever has files open while the next one serves the same place, so a socket is
 * made under a name of its own, and put in the place of what was there. What others left there that were
 * killed is removed.
 * @param stop unmounts and ends the process.
 */
export async function serveControl(
  control: Promise<Control>,
  path: string,
  stop: () => void,
): Promise<ControlServer> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Also one that was there: a file system has no umask, and its socket is anybody's for a moment.
  chmodSync(dirname(path), 0o700);
  const own = `${path}.${process.pid}`;
  rmSync(own, { force: true });
  const server = createServer((request, response) => {
    const answered = control.then((begun) => answer(begun, stop, request));
    answered.then(
      (body) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      },
      (error: unknown) => fail(response, error),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(own, resolve);
  });
  chmodSync(own, 0o600);
  const { ino } = lstatSync(own);
  renameSync(own, path);
  await removeDeadSockets(dirname(path));
  const remove = (): void => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
  };
  return { server, remove };
}
