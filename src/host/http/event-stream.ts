import type { ServerResponse } from 'node:http';
import type { EventFeed } from './event-log.ts';

const HEARTBEAT_MS = 15_000;
/** A client this far behind is let go; it comes back with Last-Event-ID. */
const BUFFER_BYTES_MAX = 1024 * 1024;

/**
 * Sends a feed as server-sent events (HTML Standard, 9.2) until either side closes.
 * @param after resume after this id; without it only new events are sent.
 * @param wanted which events this client asked for.
 * @returns how to end it from our side.
 */
export function streamEvents(
  response: ServerResponse,
  feed: EventFeed,
  after: number | undefined,
  wanted: (event: { id: number }) => boolean,
  heartbeatMs: number = HEARTBEAT_MS,
): () => void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  const send = (event: { id: number }): void => {
    if (!wanted(event)) return;
    response.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
    if (response.writableLength > BUFFER_BYTES_MAX) response.destroy();
  };
  if (after !== undefined) {
    const { events, complete } = feed.after(after);
    if (!complete) response.write(`event: gap\ndata: ${JSON.stringify({ after })}\n\n`);
    for (const event of events) send(event);
  }
  const stopFeed = feed.subscribe(send);
  const heartbeat = setInterval(() => response.write(': alive\n\n'), heartbeatMs);
  const stop = (): void => {
    clearInterval(heartbeat);
    stopFeed();
  };
  response.on('close', stop);
  // A reset by the peer is how clients leave; 'close' follows.
  response.on('error', stop);
  return () => {
    stop();
    response.end();
  };
}
