import { once } from 'node:events';
import { connect } from 'node:net';
import { writeRequest } from '../../src/core/codec/kafka/frame.ts';

const IN_FLIGHT = 8;

const withId = (frame: Buffer, id: number): Buffer => {
  frame.writeInt32BE(id, 8);
  return frame;
};

/** Sends `count` requests with `inFlight` of them unanswered at once. @returns ms of each. */
export async function exchange(
  port: number,
  request: Uint8Array,
  count: number,
  inFlight = IN_FLIGHT,
): Promise<{ ms: number; each: number[] }> {
  const frame = Buffer.from(request);
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const sentAt: number[] = [];
  const each: number[] = [];
  let sent = 0;
  const send = (): void => {
    sentAt.push(performance.now());
    socket.write(withId(Buffer.from(frame), sent++));
  };
  const started = performance.now();
  const done = new Promise<void>((resolve, reject) => {
    let left = 0;
    let head = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${each.length} of ${count}`)));
    socket.on('data', (chunk) => {
      let at = 0;
      while (at < chunk.length) {
        if (left === 0) {
          const wanted = Math.min(4 - head.length, chunk.length - at);
          head = Buffer.concat([head, chunk.subarray(at, at + wanted)]);
          at += wanted;
          if (head.length < 4) return;
          left = head.readInt32BE(0);
          head = Buffer.alloc(0);
        }
        const size = Math.min(left, chunk.length - at);
        left -= size;
        at += size;
        if (left > 0) continue;
        each.push(performance.now() - (sentAt[each.length] ?? 0));
        if (sent < count) send();
        if (each.length === count) resolve();
      }
    });
  });
  for (let index = 0; index < Math.min(inFlight, count); index++) send();
  await done;
  const ms = performance.now() - started;
  socket.removeAllListeners('close').destroy();
  return { ms, each };
}

const base = { correlationId: 0, clientId: 'bench' };

export const heartbeat = writeRequest({ ...base, apiKey: 12, version: 4 }, { groupId: 'g' });

export const fetch = writeRequest({ ...base, apiKey: 1, version: 12 }, { topics: [] });

/** @param size bytes of records in it. */
export const produce = (size: number): Uint8Array =>
  writeRequest(
    { ...base, apiKey: 0, version: 9 },
    {
      transactionalId: null,
      acks: -1,
      topicData: [{ name: 'bench', partitionData: [{ index: 0, records: new Uint8Array(size) }] }],
    },
  );
