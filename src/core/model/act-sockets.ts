import type { ControlPath, RulePeer } from './act-netfilter.ts';

/** Which established TCP connections of this node are meant, and how many of them. */
export interface SocketChoice {
  peers: RulePeer[];
  /** Never met: connections of the agent's port here, and to that of a peer's agent. */
  control: ControlPath;
  /** Of a million; by chance from the seed. */
  perMillion: number;
  seed: number;
}

/** Ends connections of this node in the kernel (SOCK_DESTROY, ss(8) -K): both ends see a reset. */
export interface SocketAct {
  act: 'sockets.destroy';
  token: string;
  choice: SocketChoice;
}

export function describeSocketAct({ token, choice }: SocketAct): string {
  const { peers, perMillion } = choice;
  const share = perMillion === 1_000_000 ? '' : `${perMillion / 10_000} % of `;
  const whom = peers.map(({ name }) => name).join(', ');
  return `destroy ${share}the established TCP connections with ${whom} (${token})`;
}

/** How many connections a fault has destroyed, as far as this process knows. */
export interface SocketQuery {
  query: 'destroyedSockets';
  token: string;
}

export interface SocketAnswer {
  query: 'destroyedSockets';
  count: number;
}
