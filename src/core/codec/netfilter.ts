import { familyOf } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import type { RulePeer, RuleTable } from '../model/act-netfilter.ts';
import type { Node } from '../model/topology.ts';

/** What nftables and iptables have in common: groups of peers, and names that are only names. */

/** Names of our tables and chains: a token, and nothing a shell or nft could read as more. */
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * Peers that rules treat alike, of one family: a set and a rule for all of them, so that what a
 * network partition costs does not grow with every peer.
 */
export interface PeerGroup {
  /** 'g<index>v<family>': the set whose elements expire, and whoever stands in it is met. */
  name: string;
  /** 'c<index>v<family>': the set that counts by address; nothing in it expires. */
  counts: string;
  family: 4 | 6;
  ports?: RulePeer['ports'];
  agentPort?: number;
  members: { peer: string; addresses: string[] }[];
}

type Peers = Pick<RuleTable, 'peers'>;

/** Of rules that are asked for again and again: a thousand addresses take longer to read than to cut. */
const known = new WeakMap<Peers, PeerGroup[]>();

/** Peers grouped by family, ports and agent port. The same rules have the same groups. */
export function groupsOf(rules: Peers): readonly PeerGroup[] {
  const groups = known.get(rules) ?? group(rules);
  known.set(rules, groups);
  return groups;
}

function group(rules: Peers): PeerGroup[] {
  const groups = new Map<string, PeerGroup>();
  for (const { name, ipv4, ipv6, ports, agentPort } of rules.peers) {
    for (const family of [4, 6] as const) {
      const addresses = familyOf(family, family === 4 ? ipv4 : ipv6);
      if (addresses.length === 0) continue;
      const key = `${family} ${agentPort ?? ''} ${ports ? JSON.stringify(ports) : ''}`;
      const id = `${groups.size}v${family}`;
      const group: PeerGroup = groups.get(key) ?? {
        name: `g${id}`,
        counts: `c${id}`,
        family,
        ...(ports && { ports }),
        ...(agentPort !== undefined && { agentPort }),
        members: [],
      };
      group.members.push({ peer: name, addresses });
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

/** Addresses of a group's peers. @param bitten only of these. */
export function addressesIn(group: PeerGroup, bitten?: ReadonlySet<string>): string[] {
  return group.members
    .filter(({ peer }) => bitten?.has(peer) ?? true)
    .flatMap(({ addresses }) => addresses);
}

export function isOurs(table: string): boolean {
  return TOKEN.test(table);
}

export function assertOurs(table: string): void {
  assert(isOurs(table), `table name ${table}`);
}

/** @throws where something in it could be read as more than a name or a figure. */
export function assertNames(
  rules: Pick<RuleTable, 'table' | 'faultId' | 'timeoutMs' | 'peers'> & { perMillion?: number },
): void {
  assertOurs(rules.table);
  assert(FAULT_ID.test(rules.faultId), `fault id ${rules.faultId}`);
  const { timeoutMs, perMillion = 1 } = rules;
  assert(Number.isInteger(timeoutMs) && timeoutMs > 0, `timeout ${timeoutMs}`);
  assert(Number.isInteger(perMillion) && perMillion > 0, `share ${perMillion}`);
  for (const { name, ports } of rules.peers) {
    assert(NODE_NAME.test(name), `node name ${name}`);
    for (const port of [...(ports?.local ?? []), ...(ports?.remote ?? [])])
      assert(Number.isInteger(port) && port >= 1 && port <= 65_535, `port ${port}`);
  }
}

/** 'FAULT-ID' or 'FAULT-ID WHOM': how a rule says whose it is, and whom alone it counts. */
export function readComment(comment: string): { faultId: string; peer?: string } | undefined {
  const [faultId = '', peer] = comment.split(' ');
  if (!FAULT_ID.test(faultId)) return undefined;
  return peer === undefined ? { faultId } : { faultId, peer };
}

/** What the kernel has of a rule table. */
export interface ListedTable {
  /** Of the first rule that says it. */
  faultId?: string;
  /** Counted packets, by address or by whom a rule names. */
  packets: Record<string, number>;
  /** Living addresses by set. */
  addresses: Record<string, string[]>;
}

/** Packets by peer: its own rules' and its addresses'. */
export function packetsOf(
  listed: ListedTable,
  peers: readonly Pick<Node, 'name' | 'addresses'>[],
): Record<string, number> {
  const counted = ({ name, addresses }: (typeof peers)[number]): number =>
    [name, ...familyOf(4, addresses), ...familyOf(6, addresses)]
      .map((key) => listed.packets[key] ?? 0)
      .reduce((sum, packets) => sum + packets, 0);
  return Object.fromEntries(peers.map((peer) => [peer.name, counted(peer)]));
}

/** Whether every address of the peers (that are bitten now) is still in its set. */
export function holdsAll(rules: Peers, listed: ListedTable, bitten?: ReadonlySet<string>): boolean {
  return groupsOf(rules).every((group) => {
    const there = new Set(listed.addresses[group.name] ?? []);
    return addressesIn(group, bitten).every((address) => there.has(address));
  });
}
