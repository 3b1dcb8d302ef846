import { readdirSync, readFileSync } from 'node:fs';
import type { SteerTable } from '../../src/core/model/act-packets.ts';
import type { PacketShape } from '../../src/core/model/packet-shape.ts';
import type { PacketCounts } from '../../src/core/model/query-packets.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';
import { LinuxInNetns } from './linux-in-netns.ts';
import { TestNetwork, type TestNode } from './netns.ts';
import { until } from './until.ts';
import { isOwn, ownToken } from './own-token.ts';
import { PacketPeer, type ReceivedPackets } from './packet-peer-client.ts';

export const PORT = 9092;
export const TOKEN = ownToken('packets');
const SEED = 7;

/** n1 receives; n2 is shaped, n3 is a bystander. */
export class PacketRig {
  readonly network = new TestNetwork('flpack', 3, 44);
  readonly nodes = this.network.nodes as [TestNode, TestNode, TestNode];
  hands = new LinuxInNetns(this.network, this.nodes[0]);
  readonly peers = this.nodes.map((node) => new PacketPeer(this.network, node)) as [
    PacketPeer,
    PacketPeer,
    PacketPeer,
  ];

  /** Tokens of what this rig has shaped. */
  readonly #steered = new Set<string>();

  steer(more: Partial<SteerTable> = {}): SteerTable {
    const [, two] = this.nodes;
    return {
      table: TOKEN,
      faultId: 'packets-1',
      peers: [{ name: two.name, ipv4: [two.address], ipv6: [two.address6] }],
      control: { coordinatorAddresses: [], agentPort: 1 },
      timeoutMs: 60_000,
      protocol: 'all',
      ...more,
    };
  }

  shape(shape: PacketShape, steer = this.steer()): Promise<void> {
    this.#steered.add(steer.table);
    return this.hands.perform({ act: 'packets.steer', steer, shape, seed: SEED });
  }

  counts(): Promise<PacketCounts> {
    return this.hands.ask({ query: 'steeredPackets', token: TOKEN });
  }

  /** The addresses of n1: what is said of one family holds of the other. */
  get addresses(): string[] {
    const [one] = this.nodes;
    return [one.address, one.address6];
  }

  /** What n1 hears of datagrams that n2 (or n3) sends to it. */
  async hears(
    sender: 1 | 2,
    address: string,
    count: number,
    options = {},
  ): Promise<ReceivedPackets> {
    await this.peers[sender].send(address, PORT, count, options);
    await until('no packet process has any left', () => this.#drained());
    return this.peers[0].settled(PORT);
  }

  /** On a busy machine a process may hold packets for longer than a receiver waits for more. */
  async #drained(): Promise<boolean> {
    for (const token of this.#steered) {
      const counts = await this.hands.ask({ query: 'steeredPackets', token });
      const steered = Object.values(counts.steered).reduce((sum, each) => sum + each, 0);
      if (counts.running && (counts.held > 0 || counts.seen < steered)) return false;
    }
    return true;
  }

  /** Of this rig: processes are those of the whole machine, and of other tests. */
  async leftovers(): Promise<Leftover[]> {
    const all = await this.hands.leftovers();
    return all.filter(isOwn);
  }

  /** Nobody is there any more who could refresh; others come later. */
  async handsDie(): Promise<void> {
    await this.hands.close();
    this.hands = new LinuxInNetns(this.network, this.nodes[0]);
  }

  async release(): Promise<void> {
    for (const { remove } of await this.leftovers()) await this.hands.perform(remove);
    this.#steered.clear();
  }

  async close(): Promise<void> {
    await this.hands.close();
    for (const peer of this.peers) await peer.close();
    this.network.close();
  }
}

/** The pid of the packet process with a token; 0: none. */
export function processOf(token: string): number {
  const found = readdirSync('/proc').find((entry) => {
    if (!/^[0-9]+$/.test(entry)) return false;
    try {
      const argv = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      return argv.includes(token) && argv.some((part) => part.endsWith('/packets.ts'));
    } catch {
      // It has gone meanwhile.
      return false;
    }
  });
  return Number(found ?? 0);
}
