import type { Duplex } from 'node:stream';
import type { HttpProblem } from './http-problem.ts';

/** Answers an upgrade with problem details and closes the socket. */
export function refuseUpgrade(socket: Duplex, problem: HttpProblem): void {
  const body = JSON.stringify(problem.details());
  const headers = Object.entries(problem.options.headers ?? {}).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.details().title}\r\nconnection: close\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `${headers.join('')}\r\n${body}`,
  );
}
