/**
 * A broker's stand-in for the proxy bench: `kafka-sink.ts PORT`. Every request is answered at once with
 * its correlation id; a Fetch (API key 1) with a megabyte behind it.
 */
import { createServer } from 'node:net';

const FETCH = 1;
const big = Buffer.alloc(1 << 20);
big.writeInt32BE(big.length - 4, 0);
const small = Buffer.alloc(12);
small.writeInt32BE(8, 0);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  /** Bytes of the frame that is coming in, and what is there of its head. */
  let left = 0;
  let head = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const size = Math.min(left, chunk.length - at);
        left -= size;
        at += size;
        continue;
      }
      const wanted = Math.min(12 - head.length, chunk.length - at);
      head = Buffer.concat([head, chunk.subarray(at, at + wanted)]);
      at += wanted;
      if (head.length < 12) return;
      left = head.readInt32BE(0) - 8;
      const answer = Buffer.from(head.readInt16BE(4) === FETCH ? big : small);
      head.copy(answer, 4, 8, 12);
      socket.write(answer);
      head = Buffer.alloc(0);
    }
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
