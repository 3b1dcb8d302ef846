import type { TestNetwork, TestNode } from './netns.ts';
import { ToldPeer } from './told-peer.ts';

/** Somebody in a node's namespace who listens, connects, echoes and floods. */
export class NetPeer extends ToldPeer {
  constructor(network: TestNetwork, node: TestNode) {
    super(network, node, 'net-peer.ts');
  }

  listen = (port: number): Promise<unknown> => this.tell({ do: 'listen', port });
  udpListen = (port: number): Promise<unknown> => this.tell({ do: 'udpListen', port });
  udpCount = async (port: number): Promise<number> =>
    Number(await this.tell({ do: 'udpCount', port }));
  /** 'open', 'refused' or 'silent'; kept for echo() under the name. */
  open = (host: string, port: number, waitMs: number, name?: string): Promise<unknown> =>
    this.tell({ do: 'open', host, port, waitMs, name });
  /** 'echoed', 'broken' or 'silent'. */
  echo = (name: string, waitMs: number): Promise<unknown> =>
    this.tell({ do: 'echo', name, waitMs });
  /** Serves DNS: every name has this address. */
  dnsServe = (address: string): Promise<unknown> => this.tell({ do: 'dnsServe', host: address });
  /** An IPv4 address, 'rcode N', 'silent' or 'broken'. */
  resolve = (server: string, name: string, tcp: boolean): Promise<unknown> =>
    this.tell({ do: 'resolve', server, host: name, tcp });
  flood = (host: string, port: number): Promise<unknown> => this.tell({ do: 'flood', host, port });
  endFlood = async (): Promise<number> => Number(await this.tell({ do: 'endFlood' }));
}
