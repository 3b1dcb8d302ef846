import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Type } from 'typebox';
import type { ProblemDetails, Route } from '../../src/core/model/api.ts';
import { Id } from '../../src/core/model/topology.ts';
import { EventLog } from '../../src/host/http/event-log.ts';
import { HttpProblem } from '../../src/host/http/http-problem.ts';
import { Tokens } from '../../src/host/http/tokens.ts';
import { serveRoutes, type HttpServer } from '../../src/host/http-server.ts';
import { until } from '../support/until.ts';

const OPERATE = 'operate-operate-operate';
const READ = 'read-read-read-read';
const strict = { additionalProperties: false } as const;

function route(part: Partial<Route> & Pick<Route, 'name' | 'method' | 'path'>): Route {
  return {
    summary: part.name,
    access: 'operate',
    answers: { 200: 'ok' },
    errors: {},
    idempotent: true,
    ...part,
  };
}

const ROUTES: Route[] = [
  route({ name: 'health', method: 'GET', path: '/v1/health', access: 'none' }),
  route({ name: 'list', method: 'GET', path: '/v1/things', access: 'read' }),
  route({
    name: 'create',
    method: 'POST',
    path: '/v1/things',
    query: Type.Object({ dryRun: Type.Optional(Type.Enum(['true', 'false'])) }, strict),
    body: Type.Object(
      { id: Id, size: Type.Integer(), color: Type.Optional(Type.String()) },
      strict,
    ),
  }),
  route({
    name: 'get',
    method: 'GET',
    path: '/v1/things/{id}',
    access: 'read',
    pathParams: Type.Object({ id: Id }, strict),
  }),
  route({
    name: 'events',
    method: 'GET',
    path: '/v1/events',
    access: 'read',
    query: Type.Object({ after: Type.Optional(Type.String()) }, strict),
    stream: 'text/event-stream',
  }),
  route({
    name: 'lines',
    method: 'GET',
    path: '/v1/lines',
    access: 'read',
    stream: 'application/jsonl',
  }),
  route({ name: 'fail', method: 'POST', path: '/v1/fail' }),
  route({ name: 'link', method: 'GET', path: '/v1/link', answers: { 101: 'switching' } }),
];

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
  problem: ProblemDetails;
}

describe('http server', () => {
  const log = new EventLog<{ id: number; what: string }>(4);
  const failures: object[] = [];
  let server: HttpServer;

  before(async () => {
    server = await serveRoutes({
      routes: ROUTES,
      tokens: new Tokens().add(OPERATE, 'operate', 'alice').add(READ, 'read', 'bob'),
      listen: { host: '127.0.0.1', port: 0 },
      logger: { debug: () => {}, error: (data) => failures.push(data) },
      heartbeatMs: 20,
      handlers: {
        health: () => ({ status: 200, body: { ok: true } }),
        list: ({ identity }) => ({ status: 200, body: { who: identity.name } }),
        create: ({ body }) => ({ status: 201, body, headers: { location: '/v1/things/x' } }),
        get: ({ params }) => ({ status: 200, body: params }),
        events: () => ({ events: log }),
        lines: () => ({
          status: 200,
          lines: (async function* () {
            for (let index = 0; index < 3; index++) yield { index };
          })(),
        }),
        fail: () => {
          throw new Error('secret detail');
        },
      },
      onUpgrade: () => {
        throw new HttpProblem(409, 'another node');
      },
    });
  });
  after(() => server.close());

  function call(
    method: string,
    path: string,
    options: { token?: string | null; body?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const token = options.token === undefined ? OPERATE : options.token;
    const headers: Record<string, string> = { ...options.headers };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    if (options.body !== undefined) headers['content-type'] ??= 'application/json';
    const request = httpRequest(server.url + path, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        const isProblem = response.headers['content-type'] === 'application/problem+json';
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          problem: isProblem ? JSON.parse(text) : (undefined as never),
        });
      });
    });
    request.on('error', reject);
    request.end(options.body);
    return promise;
  }

  it('reports every problem of body and query at once, with paths and near misses', async () => {
    const answer = await call('POST', '/v1/things?dryRun=maybe', {
      body: JSON.stringify({ id: 'Bad Id', sise: 3, extra: 1 }),
    });
    assert.equal(answer.status, 422);
    assert.equal(answer.problem.status, 422);
    const byPath = new Map(answer.problem.problems?.map((each) => [each.path, each]));
    assert.deepEqual([...byPath.keys()].sort(), ['/extra', '/id', '/sise', '/size', '?dryRun']);
    assert.equal(byPath.get('/sise')?.nearMiss, 'size');
    assert.equal(byPath.get('?dryRun')?.expected, 'true, false');
  });

  it('answers 400 for JSON that is none, a missing body, bad query and path parameters', async () => {
    assert.equal((await call('POST', '/v1/things', { body: '{"id":' })).status, 400);
    assert.equal((await call('POST', '/v1/things', { body: '{"__proto__":{"a":1}}' })).status, 400);
    assert.equal((await call('POST', '/v1/things')).status, 400);
    assert.equal((await call('GET', '/v1/things?x=1')).problem.problems?.[0]?.path, '?x');
    const bad = await call('GET', '/v1/things/Not%20An%20Id');
    assert.equal(bad.status, 400);
    assert.equal(bad.problem.problems?.[0]?.path, '{id}');
  });

  it('does not coerce types or drop fields', async () => {
    const answer = await call('POST', '/v1/things', { body: '{"id":"a","size":"3"}' });
    assert.equal(answer.problem.problems?.[0]?.path, '/size');
  });

  it('asks for a token, knows roles, and lets anyone see health', async () => {
    const none = await call('GET', '/v1/things', { token: null });
    assert.equal(none.status, 401);
    assert.equal(none.headers['www-authenticate'], 'Bearer');
    assert.equal((await call('GET', '/v1/things', { token: `${READ}x` })).status, 401);
    const read = await call('GET', '/v1/things', { token: READ });
    assert.deepEqual(JSON.parse(read.text), { who: 'bob' });
    const refused = await call('POST', '/v1/things', { token: READ, body: '{}' });
    assert.equal(refused.status, 403);
    assert.equal((await call('GET', '/v1/health', { token: null })).status, 200);
  });

  it('answers 404, 405 with Allow, 413 and 415 as problem details', async () => {
    assert.equal((await call('GET', '/v1/nothing')).problem.status, 404);
    const wrong = await call('PUT', '/v1/things');
    assert.equal(wrong.problem.status, 405);
    assert.equal(wrong.headers['allow'], 'GET, POST');
    const large = JSON.stringify({ id: 'a', size: 1, color: 'x'.repeat(1024 * 1024) });
    assert.equal((await call('POST', '/v1/things', { body: large })).problem.status, 413);
    const form = await call('POST', '/v1/things', {
      body: 'a=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(form.problem.status, 415);
  });

  it('refuses other names in Host and other sites in Origin', async () => {
    const host = (name: string) => call('GET', '/v1/health', { headers: { host: name } });
    assert.equal((await host('evil.example')).problem.status, 403);
    assert.equal((await host(`localhost:${server.port}`)).status, 200);
    assert.equal((await host(`127.0.0.1:${server.port}`)).status, 200);
    const origin = (value: string) => call('GET', '/v1/health', { headers: { origin: value } });
    assert.equal((await origin('http://evil.example')).problem.status, 403);
    assert.equal((await origin('null')).problem.status, 403);
    assert.equal((await origin(server.url)).status, 200);
  });

  it('answers HEAD, and hides what went wrong inside', async () => {
    const head = await call('HEAD', '/v1/things');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    const failed = await call('POST', '/v1/fail');
    assert.equal(failed.problem.status, 500);
    assert.ok(!failed.text.includes('secret'));
    assert.equal(failures.length, 1);
  });

  it('streams JSON lines', async () => {
    const answer = await call('GET', '/v1/lines');
    assert.equal(answer.headers['content-type'], 'application/jsonl');
    assert.equal(answer.text, '{"index":0}\n{"index":1}\n{"index":2}\n');
  });

  it('refuses an upgrade with problem details, and strangers before that', async () => {
    const raw = (token: string): Promise<string> => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const socket = connect(server.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      socket.on('close', () => resolve(text));
      socket.write(
        `GET /v1/link HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      return promise;
    };
    assert.match(await raw(OPERATE), /^HTTP\/1\.1 409 Conflict[^]*another node/);
    assert.match(await raw(READ), /^HTTP\/1\.1 403 /);
    assert.match(await raw('wrong'), /^HTTP\/1\.1 401 /);
  });

  it('resumes events after an id, says when some are gone, and beats', async () => {
    for (const what of ['one', 'two', 'three']) log.append({ what });
    const stream = async (headers: Record<string, string>, query = '') => {
      const gone = new AbortController();
      const response = await fetch(`${server.url}/v1/events${query}`, {
        headers: { authorization: `Bearer ${READ}`, ...headers },
        signal: gone.signal,
      });
      const seen = { text: '', gone };
      void (async () => {
        const decoder = new TextDecoder();
        for await (const chunk of response.body ?? []) seen.text += decoder.decode(chunk);
      })().catch(() => {
        // Aborted by the test: the text seen so far is the result.
      });
      return seen;
    };
    const resumed = await stream({ 'last-event-id': '1' });
    await until(
      'the resumed events',
      () => resumed.text.includes('"three"') && resumed.text.includes(': alive'),
    );
    assert.ok(!resumed.text.includes('"one"'));
    log.append({ what: 'four' });
    await until('a new event', () =>
      resumed.text.includes('id: 4\ndata: {"id":4,"what":"four"}\n\n'),
    );
    resumed.gone.abort();
    for (let index = 5; index < 20; index++) log.append({ what: `more ${index}` });
    const late = await stream({}, '?after=1');
    await until('the gap', () => late.text.includes('event: gap'));
    late.gone.abort();
    const fresh = await stream({});
    log.append({ what: 'fresh' });
    await until('a fresh event', () => fresh.text.includes('"fresh"'));
    assert.ok(!fresh.text.includes('"more'));
    fresh.gone.abort();
  });

  it('says in one line that a port is taken, and will not send tokens in clear', async () => {
    const again = (listen: { host: string; port: number }) =>
      serveRoutes({
        routes: [],
        handlers: {},
        tokens: new Tokens(),
        listen,
        logger: { debug: () => {}, error: () => {} },
      });
    await assert.rejects(again({ host: '127.0.0.1', port: server.port }), /^Failure: port taken/);
    await assert.rejects(again({ host: '0.0.0.0', port: 0 }), /--tls-cert/);
  });
});
