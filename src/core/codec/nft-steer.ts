import type { SteerTable } from '../model/act-packets.ts';
import {
  addressesIn,
  assertNames,
  assertOurs,
  groupsOf,
  holdsAll,
  type PeerGroup,
} from './netfilter.ts';
import { braces, controlRules, daddr, DISCOVERY, incoming, saddr, trafficOf } from './nft-rules.ts';
import { readListedTable } from './nft.ts';

/**
 * nftables commands of a table that hands packets to a queue (nft(8)), and its listing read back.
 *
 *   table inet <token> {
 *     set g<i>v<4|6> { type ipv<4|6>_addr; flags timeout; timeout <ms>; elements = {...} }
 *     set c<i>v<4|6> { type ipv<4|6>_addr; counter; elements = { <address> comment "<peer>" } }
 *     chain held { queue flags bypass to <number> }      or the same by xtables: nft-queue-rule.ts
 *     chain input {
 *       type filter hook input priority -5; policy accept;
 *       loopback, neighbour discovery and the path between coordinator and agent accept
 *       where pings are met as they are asked: icmp|icmpv6 type echo-reply accept
 *       ip|ip6 saddr @g<i>v<4|6> [meta l4proto {...}] [th sport|dport {...}]
 *         ip|ip6 saddr @c<i>v<4|6> jump held comment "<fault id>"
 *     }
 *     chain output {                                                       there alone
 *       type filter hook output priority -5; policy accept;
 *       loopback accept
 *       icmp|icmpv6 type echo-request ip|ip6 daddr @g<i>v<4|6>
 *         ip|ip6 daddr @c<i>v<4|6> jump held comment "<fault id>"
 *     }
 *   }
 *
 * A base chain of its own for each fault: a packet that leaves one queue goes on with the next chain,
 * so that faults at one node add up. After the tables that drop: what is cut is not delayed first.
 * An echo request held as it leaves makes its exchange as late as its answer would, held as it comes in.
 */
export const HELD_CHAIN = 'held';

const icmp = (family: 4 | 6): string => (family === 4 ? 'icmp' : 'icmpv6');

function setLines(steer: SteerTable, group: PeerGroup): string[] {
  const type = `type ipv${group.family}_addr;`;
  const counted = group.members.flatMap(({ peer, addresses }) =>
    addresses.map((address) => `${address} comment "${peer}"`),
  );
  const within = `flags timeout; timeout ${steer.timeoutMs}ms;`;
  return [
    ` set ${group.name} { ${type} ${within} elements = ${braces(addressesIn(group))}; }`,
    ` set ${group.counts} { ${type} counter; elements = ${braces(counted)}; }`,
  ];
}

function groupRules({ faultId, protocol }: SteerTable, group: PeerGroup): string[] {
  const from = (set: string): string => `${saddr(group.family)} @${set}`;
  const counted = `${from(group.counts)} jump ${HELD_CHAIN} comment "${faultId}"`;
  return trafficOf(protocol, incoming(group.ports)).map(
    (traffic) => `${from(group.name)}${traffic} ${counted}`,
  );
}

/** Of an echo, the request as it leaves. All else is known by its protocol, before a set is read. */
function requestRule({ faultId }: SteerTable, group: PeerGroup): string {
  const to = (set: string): string => `${daddr(group.family)} @${set}`;
  const request = `${icmp(group.family)} type echo-request`;
  return `${request} ${to(group.name)} ${to(group.counts)} jump ${HELD_CHAIN} comment "${faultId}"`;
}

const chain = (hook: 'input' | 'output', rules: readonly string[]): string[] => [
  ` chain ${hook} {`,
  `  type filter hook ${hook} priority -5; policy accept;`,
  ...rules.map((rule) => `  ${rule}`),
  ' }',
];

/** One transaction that makes the table, without the one rule that hands packets over. */
export function writeSteerTable(steer: SteerTable): string {
  assertNames(steer);
  const groups = groupsOf(steer);
  const late = steer.requestsLate === true;
  const rules = [
    'iif "lo" accept',
    `${DISCOVERY} accept`,
    ...controlRules(steer),
    ...(late ? ([4, 6] as const).map((family) => `${icmp(family)} type echo-reply accept`) : []),
    ...groups.flatMap((group) => groupRules(steer, group)),
  ];
  return [
    `add table inet ${steer.table}`,
    `delete table inet ${steer.table}`,
    `table inet ${steer.table} {`,
    ...groups.flatMap((group) => setLines(steer, group)),
    ` chain ${HELD_CHAIN} {`,
    ' }',
    ...chain('input', rules),
    ...(late
      ? chain('output', ['oif "lo" accept', ...groups.map((group) => requestRule(steer, group))])
      : []),
    '}',
    '',
  ].join('\n');
}

/** The rule that hands packets over, where the kernel has nftables' own queue expression. */
export function writeHandOver(table: string, queue: number): string {
  assertOurs(table);
  return `add rule inet ${table} ${HELD_CHAIN} queue flags bypass to ${queue}\n`;
}

/** Renews the timeouts; rejected whole where one element has expired, or with the table gone. */
export function writeSteerRefresh(steer: SteerTable): string {
  assertNames(steer);
  const lines = groupsOf(steer).flatMap((group) => {
    const elements = `element inet ${steer.table} ${group.name} ${braces(addressesIn(group))}`;
    return [`delete ${elements}`, `add ${elements}`];
  });
  return `${lines.join('\n')}\n`;
}

/** No packet is steered any more; the table stays. An error where there is none. */
export function writeLetPass(table: string): string {
  assertOurs(table);
  return `flush table inet ${table}\n`;
}

/** Lists the sets as JSON. Not the whole table: libxtables complains aloud of the queue's rule. */
export function writeListSets(table: string): string {
  assertOurs(table);
  return `list sets table inet ${table}\n`;
}

/** Lists the rules that steer as JSON. */
export function writeListInput(table: string): string {
  assertOurs(table);
  return `list chain inet ${table} input\n`;
}

/** Whether every address of the peers is in its set. @param json of writeListSets. */
export function steersAll(steer: SteerTable, json: string): boolean {
  return holdsAll(steer, readListedTable(json, steer.table));
}

/** Packets steered, by peer. @param json of writeListSets. */
export function readSteered(table: string, json: string): Record<string, number> {
  return readListedTable(json, table).packets;
}
