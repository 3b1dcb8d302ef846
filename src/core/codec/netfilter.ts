import { familyOf } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import type { RulePeer, RuleTable } from '../model/act-netfilter.ts';

/** What nftables and iptables have in common: sets of addresses, and names that are only names. */

/** Names of our tables and chains: a token, and nothing a shell or nft could read as more. */
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export interface PeerSet {
  peer: RulePeer;
  family: 4 | 6;
  /** 'p<index of the peer>v<family>'. */
  name: string;
  addresses: string[];
}

/** One set a peer and address family that it has. */
export function setsOf(rules: RuleTable): PeerSet[] {
  return rules.peers.flatMap((peer, index) =>
    ([4, 6] as const)
      .map((family) => ({
        peer,
        family,
        name: `p${index}v${family}`,
        addresses: familyOf(family, family === 4 ? peer.ipv4 : peer.ipv6),
      }))
      .filter((set) => set.addresses.length > 0),
  );
}

export function isOurs(table: string): boolean {
  return TOKEN.test(table);
}

export function assertOurs(table: string): void {
  assert(isOurs(table), `table name ${table}`);
}

export function assertNames(rules: RuleTable): void {
  assertOurs(rules.table);
  assert(FAULT_ID.test(rules.faultId), `fault id ${rules.faultId}`);
  const { timeoutMs, perMillion } = rules;
  assert(Number.isInteger(timeoutMs) && timeoutMs > 0, `timeout ${timeoutMs}`);
  assert(Number.isInteger(perMillion) && perMillion > 0, `share ${perMillion}`);
  for (const { name, ports } of rules.peers) {
    assert(NODE_NAME.test(name), `node name ${name}`);
    for (const port of [...(ports?.local ?? []), ...(ports?.remote ?? [])])
      assert(Number.isInteger(port) && port >= 1 && port <= 65_535, `port ${port}`);
  }
}

/** 'FAULT-ID PEER': how a rule says whose it is. */
export function readComment(comment: string): { faultId: string; peer: string } | undefined {
  const [faultId, peer] = comment.split(' ');
  return faultId === undefined || peer === undefined ? undefined : { faultId, peer };
}

/** What the kernel has of a rule table. */
export interface ListedTable {
  /** Of the first rule that counts. */
  faultId?: string;
  /** Counted packets by peer, both families together. */
  packets: Record<string, number>;
  /** Living addresses by set. */
  addresses: Record<string, string[]>;
}

/** Whether every address of the peers that are bitten now is still in its set. */
export function holdsAll(
  rules: RuleTable,
  listed: ListedTable,
  bitten: ReadonlySet<string>,
): boolean {
  return setsOf(rules)
    .filter((set) => bitten.has(set.peer.name))
    .every((set) => {
      const there = new Set(listed.addresses[set.name] ?? []);
      return set.addresses.every((address) => there.has(address));
    });
}
