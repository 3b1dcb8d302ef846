import { writeSync } from 'node:fs';
import { servePackets, type PacketProcess } from '../host/nfqueue/serve.ts';

/** The packet process of one fault: `packets.ts --token TOKEN OPTIONS`, options as JSON. */
const [, , , token = '', text = '{}'] = process.argv;
const options = { ...(JSON.parse(text) as PacketProcess), token };
process.exit(await servePackets(options, () => void writeSync(1, 'ready\n')));
