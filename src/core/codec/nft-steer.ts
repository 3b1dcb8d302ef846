import { familyOf } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import type { RulePeer } from '../model/act-netfilter.ts';
import type { SteerTable } from '../model/act-packets.ts';

/**
 * nftables commands of a table that hands packets to a queue (nft(8)), and its listing read back.
 *
 *   table inet <token> {
 *     set p<i>v<4|6> { type ipv<4|6>_addr; flags timeout; elements = { <address> timeout <ms> } }
 *     chain held { queue flags bypass to <number> }      or the same by xtables: nft-queue-rule.ts
 *     chain input {
 *       type filter hook input priority -5; policy accept;
 *       loopback, neighbour discovery and the path between coordinator and agent accept
 *       ip|ip6 saddr @p<i>v<4|6> [meta l4proto {...}] [th sport|dport {...}] counter jump held
 *     }
 *   }
 *
 * A base chain of its own for each fault: a packet that leaves one queue goes on with the next chain,
 * so that faults at one node add up. After the tables that drop: what is cut is not delayed first.
 */
export const HELD_CHAIN = 'held';

const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const DISCOVERY =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }';

/** The set of a peer's addresses of one family. */
export interface PeerSet {
  name: string;
  peer: RulePeer;
  family: 4 | 6;
  addresses: string[];
}

/** One for each peer and address family that it has. */
export function setsOf(steer: SteerTable): PeerSet[] {
  return steer.peers.flatMap((peer, index) =>
    ([4, 6] as const)
      .map((family) => ({
        name: `p${index}v${family}`,
        peer,
        family,
        addresses: familyOf(family, family === 4 ? peer.ipv4 : peer.ipv6),
      }))
      .filter((set) => set.addresses.length > 0),
  );
}

const ip = (family: 4 | 6): string => (family === 4 ? 'ip' : 'ip6');
const braces = (items: readonly (string | number)[]): string => `{ ${items.join(', ')} }`;

function elements(set: PeerSet, timeoutMs: number): string {
  return braces(set.addresses.map((address) => `${address} timeout ${timeoutMs}ms`));
}

function assertTable(table: string): void {
  assert(TOKEN.test(table), `table name ${table}`);
}

function assertNames(steer: SteerTable): void {
  assertTable(steer.table);
  assert(FAULT_ID.test(steer.faultId), `fault id ${steer.faultId}`);
  assert(Number.isInteger(steer.timeoutMs) && steer.timeoutMs > 0, `timeout ${steer.timeoutMs}`);
  for (const { name, ports } of steer.peers) {
    assert(NODE_NAME.test(name), `node name ${name}`);
    for (const port of [...(ports?.local ?? []), ...(ports?.remote ?? [])])
      assert(Number.isInteger(port) && port >= 1 && port <= 65_535, `port ${port}`);
  }
}

/** Accepting rules: the path between coordinator and agent, in both directions, and no more. */
function controlRules(steer: SteerTable): string[] {
  const rules: string[] = [];
  for (const family of [4, 6] as const) {
    const coordinator = familyOf(family, steer.control.coordinatorAddresses);
    if (coordinator.length === 0) continue;
    const there = braces(coordinator);
    rules.push(`${ip(family)} saddr ${there} tcp dport ${steer.control.agentPort} accept`);
    // Where the coordinator lives on this node: what peers' agents answer, but no new connection.
    for (const set of setsOf(steer)) {
      if (set.family !== family || set.peer.agentPort === undefined) continue;
      const from = `${ip(family)} saddr ${braces(set.addresses)} tcp sport ${set.peer.agentPort}`;
      rules.push(`${from} ${ip(family)} daddr ${there} tcp flags & (syn | ack) != syn accept`);
    }
  }
  return rules;
}

/** What a peer's packets are known by besides its address: any of these. */
function trafficOf({ protocol }: SteerTable, { ports }: RulePeer): string[] {
  if (!ports) return [protocol === 'all' ? '' : ` meta l4proto ${protocol}`];
  const carrier = protocol === 'all' ? 'meta l4proto { tcp, udp } th' : protocol;
  return [
    ...(ports.local.length > 0 ? [` ${carrier} dport ${braces(ports.local)}`] : []),
    ...(ports.remote.length > 0 ? [` ${carrier} sport ${braces(ports.remote)}`] : []),
  ];
}

function peerRules(steer: SteerTable, set: PeerSet): string[] {
  const comment = `comment "${steer.faultId} ${set.peer.name}"`;
  return trafficOf(steer, set.peer).map(
    (traffic) =>
      `${ip(set.family)} saddr @${set.name}${traffic} counter jump ${HELD_CHAIN} ${comment}`,
  );
}

/** One transaction that makes the table, without the one rule that hands packets over. */
export function writeSteerTable(steer: SteerTable): string {
  assertNames(steer);
  const sets = setsOf(steer);
  const rules = [
    'iif "lo" accept',
    `${DISCOVERY} accept`,
    ...controlRules(steer),
    ...sets.flatMap((set) => peerRules(steer, set)),
  ];
  return [
    `add table inet ${steer.table}`,
    `delete table inet ${steer.table}`,
    `table inet ${steer.table} {`,
    ...sets.map(
      (set) =>
        ` set ${set.name} { type ipv${set.family}_addr; flags timeout; elements = ${elements(set, steer.timeoutMs)}; }`,
    ),
    ` chain ${HELD_CHAIN} {`,
    ' }',
    ' chain input {',
    '  type filter hook input priority -5; policy accept;',
    ...rules.map((rule) => `  ${rule}`),
    ' }',
    '}',
    '',
  ].join('\n');
}

/** The rule that hands packets over, where the kernel has nftables' own queue expression. */
export function writeHandOver(table: string, queue: number): string {
  assertTable(table);
  return `add rule inet ${table} ${HELD_CHAIN} queue flags bypass to ${queue}\n`;
}

/** Renews the timeouts; rejected whole where one element has expired, or with the table gone. */
export function writeSteerRefresh(steer: SteerTable): string {
  assertNames(steer);
  const lines = setsOf(steer).flatMap((set) => [
    `delete element inet ${steer.table} ${set.name} ${braces(set.addresses)}`,
    `add element inet ${steer.table} ${set.name} ${elements(set, steer.timeoutMs)}`,
  ]);
  return `${lines.join('\n')}\n`;
}

/** No packet is steered any more; the table stays. An error where there is none. */
export function writeLetPass(table: string): string {
  assertTable(table);
  return `flush chain inet ${table} input\n`;
}

/** Deletes the table, and is no error where there is none. */
export function writeUnsteer(table: string): string {
  assertTable(table);
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

/** Lists the sets as JSON. Not the whole table: libxtables complains aloud of the queue's rule. */
export function writeListSets(table: string): string {
  assertTable(table);
  return `list sets table inet ${table}\n`;
}

/** Lists the rules that steer as JSON. */
export function writeListInput(table: string): string {
  assertTable(table);
  return `list chain inet ${table} input\n`;
}

interface Listed {
  nftables?: {
    set?: { name: string; elem?: unknown[] };
    rule?: { comment?: string; expr?: { counter?: { packets?: number } }[] };
  }[];
}

function addressOf(element: unknown): unknown {
  if (typeof element === 'string') return element;
  return (element as { elem?: { val?: unknown } }).elem?.val;
}

/** Whether every address of the peers is in its set. @param json of writeListSets. */
export function steersAll(steer: SteerTable, json: string): boolean {
  const there = new Map<string, Set<unknown>>();
  for (const { set } of (JSON.parse(json) as Listed).nftables ?? []) {
    if (set) there.set(set.name, new Set((set.elem ?? []).map(addressOf)));
  }
  return setsOf(steer).every((set) =>
    set.addresses.every((address) => there.get(set.name)?.has(address) === true),
  );
}

/** Packets steered, by peer. @param json of writeListInput. */
export function readSteered(json: string): Record<string, number> {
  const packets: Record<string, number> = {};
  for (const { rule } of (JSON.parse(json) as Listed).nftables ?? []) {
    const [, peer] = (rule?.comment ?? '').split(' ');
    if (!rule || peer === undefined) continue;
    const counted = rule.expr?.find((part) => part.counter)?.counter?.packets ?? 0;
    packets[peer] = (packets[peer] ?? 0) + counted;
  }
  return packets;
}
