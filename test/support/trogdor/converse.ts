import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange } from './exchanges.ts';

/** An answer as it is kept and compared: instants are replaced, since they differ every time. */
export interface Recorded {
  name: string;
  status: number;
  contentType: string;
  body: unknown;
}

const UNTIL_MS = 20_000;
const POLL_MS = 50;
/** Later than 2001 and before 2096: an instant of these days, in ms. */
const INSTANT = /(?<![\w"])1[0-9]{12}(?![\w"])/g;

interface Answer {
  status: number;
  contentType: string;
  text: string;
}

export function ask(url: string, exchange: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {};
    if (exchange.body !== undefined) headers['content-type'] = 'application/json';
    const sent = request(
      url + exchange.path,
      { method: exchange.method, headers, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            contentType: answer.headers['content-type'] ?? '',
            text,
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(exchange.body);
  });
}

/** JSON with instants as '(ms)' and integers beyond 2^53 as text; other text as it is. */
function comparable(text: string): unknown {
  const exact = text.replaceAll(INSTANT, '"(ms)"').replaceAll(/(?<=[:[,])([0-9]{16,})/g, '"$1"');
  try {
    return JSON.parse(exact);
  } catch {
    // Not JSON: that is what there is to compare.
    return text;
  }
}

/** Asks everything in order. @returns the answers by name, as they are compared. */
export async function converse(url: string, exchanges: readonly Exchange[]): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  const began = String(Date.now());
  for (const exchange of exchanges) {
    const asked = { ...exchange, path: exchange.path.replaceAll('{START}', began) };
    if (exchange.body !== undefined) asked.body = exchange.body.replaceAll('{START}', began);
    const endsAt = performance.now() + UNTIL_MS;
    let answer = await ask(url, asked);
    while (asked.until?.test(answer.text) === false) {
      if (performance.now() > endsAt)
        throw new Error(`${asked.name}: not ${asked.until.source} in time: ${answer.text}`);
      await sleep(POLL_MS);
      answer = await ask(url, asked);
    }
    recorded.push({
      name: asked.name,
      status: answer.status,
      contentType: answer.contentType.replace(/;.*/, ''),
      body: comparable(answer.text),
    });
  }
  return recorded;
}
