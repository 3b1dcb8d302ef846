import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { ProblemDetails } from '../../core/model/api.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { LinkOptions } from './agent-link.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** A streamed answer of an agent over HTTP. @throws Failure `agent-unreachable`, HttpProblem as it said. */
export async function streamFromAgent(options: LinkOptions, path: string): Promise<Readable> {
  const { url, token, tls, node } = options;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const ask = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = ask(new URL(path, url), {
    headers: { authorization: `Bearer ${token}` },
    timeout: CONNECT_TIMEOUT_MS,
    ...tls,
  });
  request.on('response', resolve);
  request.on('timeout', () => request.destroy(new Error('no answer in time')));
  request.on('error', (error) => {
    reject(
      new Failure('agent-unreachable', `agent of ${node}: ${reasonOf(error)}`, {
        definite: false,
        cause: error,
      }),
    );
  });
  request.end();
  const response = await promise;
  if (response.statusCode === 200) return response;
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > 64 * 1024) break;
  }
  throw new HttpProblem(response.statusCode ?? 502, detailOf(text));
}

function detailOf(text: string): string {
  try {
    return (JSON.parse(text) as Partial<ProblemDetails>).detail ?? text.slice(0, 200);
  } catch {
    // Not problem details: the text itself is all there is.
    return text.slice(0, 200);
  }
}
