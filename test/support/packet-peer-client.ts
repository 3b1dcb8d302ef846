import type { TestNetwork, TestNode } from './netns.ts';
import { ToldPeer } from './told-peer.ts';
import { until } from './until.ts';

export interface ReceivedPackets {
  numbers: number[];
  tookMs: number[];
  damaged: number;
}

/** Somebody in a node's namespace who sends and receives numbered datagrams. */
export class PacketPeer extends ToldPeer {
  constructor(network: TestNetwork, node: TestNode) {
    super(network, node, 'packet-peer.ts');
  }

  listen = (port: number): Promise<unknown> => this.tell({ do: 'listen', port });

  /** `burst` datagrams a millisecond, or fewer. */
  send(
    host: string,
    port: number,
    count: number,
    options: { size?: number; burst?: number } = {},
  ): Promise<unknown> {
    const { size = 64, burst = 10 } = options;
    return this.tell({ do: 'send', host, port, count, size, burst });
  }

  /** What came in so far. */
  async take(port: number, clear = false): Promise<ReceivedPackets> {
    return (await this.tell({ do: 'take', port, clear })) as ReceivedPackets;
  }

  /** What came in, once nothing more has come for a while. */
  async settled(port: number, clear = true): Promise<ReceivedPackets> {
    let [last, same] = [-1, 0];
    await until(
      'no more datagrams come',
      async () => {
        const now = (await this.take(port)).numbers.length;
        same = now === last ? same + 1 : 0;
        last = now;
        return same >= 4;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    return this.take(port, clear);
  }
}
