import { unreachable } from '../base/assert.ts';
import type { Timeline } from './timeline.ts';

/** 'iptables-plain': iptables without ipset, whose rules the kernel cannot expire. */
export const NETFILTER_BACKENDS = ['nft', 'iptables', 'iptables-plain'] as const;
export type NetfilterBackend = (typeof NETFILTER_BACKENDS)[number];

/** Another node as rules see it: one rule at least, with a counter of its own, for each family. */
export interface RulePeer {
  /** The node, for people and for the receipt. */
  name: string;
  ipv4: string[];
  ipv6: string[];
  /** Port of its agent: its replies to a coordinator that lives on this node still pass. */
  agentPort?: number;
  /** Only what goes to a `local` port of this node or comes from a `remote` one; absent: everything. */
  ports?: { local: number[]; remote: number[] };
}

/** Traffic that passes whatever is cut: from the coordinator to the agent's port, and no more. */
export interface ControlPath {
  coordinatorAddresses: string[];
  agentPort: number;
}

/**
 * What happens to a packet that a rule meets. 'reject': ICMP administratively prohibited; 'reset': a
 * RST to what is TCP, ICMP to the rest; 'swallow-resets' (at output): RSTs of this node never leave it.
 */
export type PacketFate = 'drop' | 'reject' | 'reset' | 'swallow-resets';

/** Rules of one fault on one node: an nft table, or an iptables chain with its sets. */
export interface RuleTable {
  backend: NetfilterBackend;
  /** 'faultline-' + short hash of fault id and instance. */
  table: string;
  faultId: string;
  peers: RulePeer[];
  control: ControlPath;
  protocol: 'tcp' | 'udp' | 'all';
  how: PacketFate;
  /** Of a million packets; 1,000,000: every one. */
  perMillion: number;
  /** When the rules bite, from the instant they are made; absent: always. */
  timeline?: Timeline;
  /** How long the set elements live without a refresh: the kernel's own dead-man's switch. */
  timeoutMs: number;
}

export const EVERY_PACKET = 1_000_000;

export type NetfilterAct =
  | { act: 'netfilter.apply'; rules: RuleTable }
  /**
   * Renews the kernel's timeout of the elements; harmless where the table is gone. Elements that the
   * kernel has expired are never revived: a Failure 'expired' says that the fault ended by itself.
   */
  | { act: 'netfilter.refresh'; rules: RuleTable }
  | { act: 'netfilter.delete'; backend: NetfilterBackend; table: string };

const FATES: Readonly<Record<PacketFate, string>> = {
  drop: 'drop at input what comes from',
  reject: 'refuse with ICMP at input what comes from',
  reset: 'answer with RST at input what comes from',
  'swallow-resets': 'drop at output every RST to',
};

/** 'nft table inet NAME' or 'iptables chain NAME'. */
export function nameOfTable(backend: NetfilterBackend, table: string): string {
  return backend === 'nft' ? `nft table inet ${table}` : `iptables chain ${table}`;
}

function describePeer(peer: RulePeer): string {
  const addresses = [...peer.ipv4, ...peer.ipv6].join(', ');
  if (!peer.ports) return `${peer.name} (${addresses})`;
  const local = peer.ports.local.length === 0 ? '' : ` to port ${peer.ports.local.join(', ')} here`;
  const remote = peer.ports.remote.length === 0 ? '' : ` port ${peer.ports.remote.join(', ')}`;
  return `${peer.name}${remote}${remote !== '' && local !== '' ? ' or' : ''}${local} (${addresses})`;
}

export function describeNetfilterAct(act: NetfilterAct): string {
  switch (act.act) {
    case 'netfilter.apply': {
      const { rules } = act;
      const share = rules.perMillion === EVERY_PACKET ? '' : `${rules.perMillion / 10_000} % of `;
      const what = rules.protocol === 'all' ? '' : ` (${rules.protocol} only)`;
      return `create ${nameOfTable(rules.backend, rules.table)}: ${FATES[rules.how].replace(
        'what',
        `${share}what`,
      )} ${rules.peers.map(describePeer).join('; ')}${what}`;
    }
    case 'netfilter.refresh':
      return `refresh the element timeouts of ${nameOfTable(act.rules.backend, act.rules.table)}`;
    case 'netfilter.delete':
      return `delete ${nameOfTable(act.backend, act.table)}`;
    default:
      return unreachable(act);
  }
}
