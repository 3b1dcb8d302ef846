import type { PacketProbe } from '../model/fault.ts';
import { agentPortOf } from '../model/node-address.ts';
import type { Node } from '../model/topology.ts';

/** Port 9 (discard, RFC 863): closed nearly everywhere, so that a peer answers. */
const CLOSED_PORT = 9;

/** What makes a peer answer: by its open ports and a closed one, or by the ports a fault names. */
export function probesOf(peer: Node, ports?: { remote: number[] }): PacketProbe[] {
  const open = (peer.listeners ?? []).slice(0, 3).map((listener) => listener.port);
  const agent = agentPortOf(peer);
  if (agent !== undefined) open.push(agent);
  const tcp = ports ? ports.remote.slice(0, 4) : [CLOSED_PORT, ...open];
  return peer.addresses.flatMap((address): PacketProbe[] => [
    ...(ports ? [] : [{ protocol: 'udp' as const, address, port: CLOSED_PORT }]),
    ...tcp.map((port) => ({ protocol: 'tcp' as const, address, port })),
  ]);
}
