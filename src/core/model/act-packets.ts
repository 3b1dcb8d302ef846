import type { ControlPath, RulePeer } from './act-netfilter.ts';
import { describeShape, type PacketShape } from './packet-shape.ts';

/** An nft table that hands the packets of peers to a queue as they come in. */
export interface SteerTable {
  /** 'faultline-' + short hash of fault id and instance: of the table and of the process. */
  table: string;
  faultId: string;
  peers: RulePeer[];
  control: ControlPath;
  protocol: 'tcp' | 'udp' | 'all';
  /** How long the elements live without a refresh, and the process. */
  timeoutMs: number;
  /**
   * Of pings (ICMP echo) of this node the request is met as it leaves, in place of the answer as it comes
   * in: ping(8) takes the time of an answer where it reaches the device, before any hook.
   */
  requestsLate?: boolean;
}

/** Packets through a process of ours. */
export type PacketAct =
  /**
   * Starts a packet process that carries the table's name, outlives the agent so that the guard can
   * end it, and ends by itself when nobody has refreshed it for `timeoutMs`; then steers packets to it.
   * Where it dies, packets pass.
   */
  | { act: 'packets.steer'; steer: SteerTable; shape: PacketShape; seed: number }
  /** Renews the kernel's timeout and the process's; a Failure 'expired' where one has ended. */
  | { act: 'packets.refresh'; steer: SteerTable }
  /** No more packets are steered, those held pass, the process ends, the table is deleted. */
  | { act: 'packets.release'; token: string };

export function describePacketAct(act: PacketAct): string {
  switch (act.act) {
    case 'packets.steer': {
      const { table, peers, protocol, requestsLate } = act.steer;
      const whom = peers.map(describePeer);
      const what = protocol === 'all' ? '' : ` by ${protocol}`;
      const pings = requestsLate === true ? ', and at output pings in place of their answers' : '';
      return (
        `start packet process ${table}, and steer to it at input what comes from ` +
        `${whom.join('; ')}${what}${pings}: ${describeShape(act.shape)}`
      );
    }
    case 'packets.refresh':
      return `renew the timeouts of packet process and nft table inet ${act.steer.table}`;
    case 'packets.release':
      return `let packets pass, end packet process and delete nft table inet ${act.token}`;
  }
}

function describePeer({ name, ipv4, ipv6, ports }: RulePeer): string {
  const addresses = [...ipv4, ...ipv6].join(', ');
  if (!ports) return `${name} (${addresses})`;
  const here = ports.local.length === 0 ? [] : [`to port ${ports.local.join(', ')}`];
  const there = ports.remote.length === 0 ? [] : [`from port ${ports.remote.join(', ')}`];
  return `${name} (${addresses}; ${[...here, ...there].join(' or ')})`;
}
