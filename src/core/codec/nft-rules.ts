import { familyOf } from '../base/address.ts';
import type { RulePeer, RuleTable } from '../model/act-netfilter.ts';
import { groupsOf } from './netfilter.ts';

/** What tables of several sorts have in common, in the words of nft(8). */

/** Nobody finds anybody without it (RFC 4861). */
export const DISCOVERY =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }';

export const saddr = (family: 4 | 6): string => (family === 4 ? 'ip saddr' : 'ip6 saddr');
export const daddr = (family: 4 | 6): string => (family === 4 ? 'ip daddr' : 'ip6 daddr');
export const braces = (items: readonly (string | number)[]): string => `{ ${items.join(', ')} }`;

/** Accepting rules at input: the path between coordinator and agent, both directions, and no more. */
export function controlRules(rules: Pick<RuleTable, 'control' | 'peers'>): string[] {
  const lines: string[] = [];
  for (const family of [4, 6] as const) {
    const coordinator = familyOf(family, rules.control.coordinatorAddresses);
    if (coordinator.length === 0) continue;
    const there = braces(coordinator);
    lines.push(`${saddr(family)} ${there} tcp dport ${rules.control.agentPort} accept`);
    // Where the coordinator lives on this node: what peers' agents answer, but no new connection.
    for (const group of groupsOf(rules)) {
      if (group.family !== family || group.agentPort === undefined) continue;
      const from = `${saddr(family)} @${group.name} tcp sport ${group.agentPort}`;
      lines.push(`${from} ${daddr(family)} ${there} tcp flags & (syn | ack) != syn accept`);
    }
  }
  return lines;
}

/**
 * The matches that packets are known by besides their address: any of these.
 * @param ports which side of a packet they stand on; absent: any.
 */
export function trafficOf(
  protocol: RuleTable['protocol'],
  ports: { destination: readonly number[]; source: readonly number[] } | undefined,
): string[] {
  if (!ports) return [protocol === 'all' ? '' : ` meta l4proto ${protocol}`];
  const carrier = protocol === 'all' ? 'meta l4proto { tcp, udp } th' : protocol;
  return [
    ...(ports.destination.length > 0 ? [` ${carrier} dport ${braces(ports.destination)}`] : []),
    ...(ports.source.length > 0 ? [` ${carrier} sport ${braces(ports.source)}`] : []),
  ];
}

/** Of packets as they come in. */
export const incoming = (
  ports: RulePeer['ports'],
): { destination: readonly number[]; source: readonly number[] } | undefined =>
  ports && { destination: ports.local, source: ports.remote };

/** Of packets as they leave. */
export const leaving = (
  ports: RulePeer['ports'],
): { destination: readonly number[]; source: readonly number[] } | undefined =>
  ports && { destination: ports.remote, source: ports.local };
