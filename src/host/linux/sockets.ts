import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../core/base/failure.ts';
import { Random } from '../../core/base/random.ts';
import { EVERY_PACKET, type RulePeer } from '../../core/model/act-netfilter.ts';
import type { SocketAct, SocketChoice } from '../../core/model/act-sockets.ts';
import type { Capability } from '../../core/model/fault.ts';
import { exec } from '../exec.ts';

const OUTPUT_MAX = 64 * 1024 * 1024;
/** Connections one run of ss is told of. */
const AT_ONCE = 100;
/** How long a connection that was ended may take to say so. */
const WAIT_MS = 2_000;

/** One connection: address and port here and there, as ss prints and takes them. */
interface Connection {
  here: string;
  there: string;
}

const anyOf = (words: readonly (readonly string[])[]): string[] => [
  '(',
  ...words.flatMap((word, index) => (index === 0 ? word : ['or', ...word])),
  ')',
];

/** The filter of ss(8) that finds a peer's connections. */
function filterOf(peer: RulePeer, choice: SocketChoice): string[] {
  const addresses = [...peer.ipv4, ...peer.ipv6].map((address) =>
    address.includes(':') ? ['dst', `[${address}]`] : ['dst', address],
  );
  const filter = [...anyOf(addresses), 'and', 'sport', '!=', `:${choice.control.agentPort}`];
  if (peer.agentPort !== undefined) filter.push('and', 'dport', '!=', `:${peer.agentPort}`);
  if (!peer.ports) return filter;
  const local = peer.ports.local.map((port) => ['sport', '=', `:${port}`]);
  const remote = peer.ports.remote.map((port) => ['dport', '=', `:${port}`]);
  return [...filter, 'and', ...anyOf([...local, ...remote])];
}

function readConnections(stdout: string): Connection[] {
  return stdout.split('\n').flatMap((line): Connection[] => {
    const [, , here, there] = line.trim().split(/\s+/);
    return here === undefined || there === undefined ? [] : [{ here, there }];
  });
}

const SHOW = ['-H', '-t', '-n', 'state', 'established'];

/** Established TCP connections of this network namespace, and their end. */
export class Sockets {
  readonly #destroyed = new Map<string, number>();

  count(token: string): number {
    return this.#destroyed.get(token) ?? 0;
  }

  /** @throws Failure where ss fails. */
  async destroy({ token, choice }: SocketAct): Promise<void> {
    const random = new Random(choice.seed);
    const share = { numerator: choice.perMillion, denominator: EVERY_PACKET };
    let count = 0;
    for (const peer of choice.peers) {
      const argv = ['ss', ...SHOW, ...filterOf(peer, choice)];
      const { stdout } = await exec(argv, { outputMax: OUTPUT_MAX });
      const chosen = readConnections(stdout).filter(() => random.chance(share));
      for (let from = 0; from < chosen.length; from += AT_ONCE)
        await kill(chosen.slice(from, from + AT_ONCE));
      count += chosen.length;
    }
    this.#destroyed.set(token, this.count(token) + count);
  }
}

/** One that has ended meanwhile is no error. */
async function kill(connections: readonly Connection[]): Promise<void> {
  const each = connections.map(({ here, there }) => ['(', 'src', here, 'and', 'dst', there, ')']);
  await exec(['ss', '-K', ...SHOW, ...anyOf(each)], { outputMax: OUTPUT_MAX });
}

/** By doing: a connection of our own, from us to us, is destroyed. */
export async function tryDestroy(): Promise<Omit<Capability, 'need'>> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()));
  let client: Socket | undefined;
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    client = connect(port, '127.0.0.1');
    // Its end is the point: an error is as good as any.
    client.on('error', () => undefined);
    await once(client, 'connect');
    // Not once(): it would fail with the error, before anybody waits for it.
    const closed = new Promise<void>((resolve) => client?.once('close', () => resolve()));
    await kill([{ here: `127.0.0.1:${client.localPort}`, there: `127.0.0.1:${port}` }]);
    const isLate = await Promise.race([
      closed.then(() => false),
      sleep(WAIT_MS, true, { ref: false }),
    ]);
    if (isLate) return { met: false, why: `ss -K ends no connection within ${WAIT_MS} ms` };
    return { met: true, why: 'ss -K has ended a connection of our own' };
  } catch (error) {
    return { met: false, why: `ss -K ends no connection: ${reasonOf(error)}` };
  } finally {
    client?.destroy();
    server.close();
  }
}
