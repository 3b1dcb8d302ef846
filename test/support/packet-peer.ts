/** Sends and receives numbered datagrams in a namespace, told by JSON lines: packet-peer-client.ts. */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const HEADER = 12;
const FILL = 0x5a;

interface Received {
  numbers: number[];
  /** One way, by the clock that all processes of a machine share, ms. */
  tookMs: number[];
  damaged: number;
}

const received = new Map<number, Received>();
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

function listen(port: number): Promise<string> {
  const record: Received = { numbers: [], tookMs: [], damaged: 0 };
  received.set(port, record);
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp6', recvBufferSize: 16_000_000 });
    socket.on('message', (bytes) => {
      const now = nowMs();
      const whole = bytes.subarray(HEADER).every((byte) => byte === FILL);
      const tookMs = now - bytes.readDoubleLE(4);
      if (!whole) record.damaged++;
      record.numbers.push(bytes.readUInt32LE(0));
      record.tookMs.push(tookMs);
    });
    socket.bind(port, '::', () => resolve('listening'));
  });
}

/** Sends them in small bursts, so that no buffer on the way overflows. */
async function send(command: Record<string, unknown>): Promise<number> {
  const host = String(command['host']);
  const [port, count] = [Number(command['port']), Number(command['count'])];
  const [size, burst] = [Number(command['size']), Number(command['burst'])];
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (let sent = 0; sent < count;) {
    const some: Promise<void>[] = [];
    for (let index = 0; index < burst && sent < count; index++, sent++) {
      const bytes = Buffer.alloc(Math.max(size, HEADER), FILL);
      bytes.writeUInt32LE(sent, 0);
      bytes.writeDoubleLE(nowMs(), 4);
      some.push(new Promise((resolve) => socket.send(bytes, port, host, () => resolve())));
    }
    await Promise.all(some);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  socket.close();
  return count;
}

async function answer(command: Record<string, unknown>): Promise<unknown> {
  const port = Number(command['port']);
  switch (command['do']) {
    case 'listen':
      return listen(port);
    case 'send':
      return send(command);
    case 'take': {
      const record = received.get(port);
      const copy = record && {
        ...record,
        numbers: [...record.numbers],
        tookMs: [...record.tookMs],
      };
      if (record && command['clear'] === true) {
        Object.assign(record, { numbers: [], tookMs: [], damaged: 0 });
      }
      return copy;
    }
    default:
      return 'unknown command';
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Record<string, unknown>;
  void answer(command).then((value) =>
    process.stdout.write(`${JSON.stringify({ id: command['id'], value })}\n`),
  );
}
process.exit(0);
