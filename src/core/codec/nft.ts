import { assert } from '../base/assert.ts';
import type { DroppedPeer, DropTable } from '../model/act.ts';
import { familyOf } from '../base/address.ts';

/**
 * nftables commands of a drop table, as text for libnftables or `nft -f` (nft(8)), and its listing
 * (`nft -j`, libnftables-json(5)) read back.
 *
 *   table inet <token> {
 *     set p<i>v<4|6> { type ipv<4|6>_addr; flags timeout; elements = { <address> timeout <ms> } }
 *     chain input {
 *       type filter hook input priority -10; policy accept;
 *       iif "lo" accept
 *       icmpv6 neighbour discovery accept                        (RFC 4861)
 *       coordinator -> agent port accept; replies of a peer's agent -> coordinator here accept
 *       ip|ip6 saddr @p<i>v<4|6> counter drop comment "<fault id> <peer>"     one a peer and family
 *     }
 *   }
 *
 * Dropped at input on the receiving side: a drop at output is a send error that the sender's TCP
 * sees (EPERM, no backoff), which no network does. The priority lies before the host's own filter,
 * so that what the host's rules would drop is counted here all the same.
 */

/** Names of our tables: a token, and nothing a shell or nft could read as more. */
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const DISCOVERY =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }';

interface PeerSet {
  name: string;
  peer: DroppedPeer;
  family: 4 | 6;
  addresses: string[];
}

/** One set a peer and address family that it has. */
function setsOf(drop: DropTable): PeerSet[] {
  return drop.peers.flatMap((peer, index) =>
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

const saddr = (family: 4 | 6): string => (family === 4 ? 'ip saddr' : 'ip6 saddr');
const daddr = (family: 4 | 6): string => (family === 4 ? 'ip daddr' : 'ip6 daddr');
const braces = (items: readonly string[]): string => `{ ${items.join(', ')} }`;

function elements(set: PeerSet, timeoutMs: number): string {
  return braces(set.addresses.map((address) => `${address} timeout ${timeoutMs}ms`));
}

function assertNames(drop: DropTable): void {
  assert(TOKEN.test(drop.table), `table name ${drop.table}`);
  assert(FAULT_ID.test(drop.faultId), `fault id ${drop.faultId}`);
  assert(Number.isInteger(drop.timeoutMs) && drop.timeoutMs > 0, `timeout ${drop.timeoutMs}`);
  for (const peer of drop.peers) assert(NODE_NAME.test(peer.name), `node name ${peer.name}`);
}

/** Accepting rules: the path between coordinator and agent, in both directions, and no more. */
function controlRules(drop: DropTable): string[] {
  const rules: string[] = [];
  for (const family of [4, 6] as const) {
    const coordinator = familyOf(family, drop.control.coordinatorAddresses);
    if (coordinator.length === 0) continue;
    const there = braces(coordinator);
    rules.push(`${saddr(family)} ${there} tcp dport ${drop.control.agentPort} accept`);
    // Where the coordinator lives on this node: what peers' agents answer, but no new connection.
    for (const set of setsOf(drop)) {
      if (set.family !== family || set.peer.agentPort === undefined) continue;
      const from = `${saddr(family)} ${braces(set.addresses)} tcp sport ${set.peer.agentPort}`;
      rules.push(`${from} ${daddr(family)} ${there} tcp flags & (syn | ack) != syn accept`);
    }
  }
  return rules;
}

/** One transaction that makes the table, in place of one of that name. */
export function writeDropTable(drop: DropTable): string {
  assertNames(drop);
  const sets = setsOf(drop);
  const rules = [
    'iif "lo" accept',
    `${DISCOVERY} accept`,
    ...controlRules(drop),
    ...sets.map(
      (set) =>
        `${saddr(set.family)} @${set.name} counter drop comment "${drop.faultId} ${set.peer.name}"`,
    ),
  ];
  return [
    `add table inet ${drop.table}`,
    `delete table inet ${drop.table}`,
    `table inet ${drop.table} {`,
    ...sets.map(
      (set) =>
        ` set ${set.name} { type ipv${set.family}_addr; flags timeout; elements = ${elements(set, drop.timeoutMs)}; }`,
    ),
    ' chain input {',
    '  type filter hook input priority -10; policy accept;',
    ...rules.map((rule) => `  ${rule}`),
    ' }',
    '}',
    '',
  ].join('\n');
}

/**
 * One transaction that renews the timeouts (adding an element that is there renews nothing). It is
 * rejected whole where one element has expired: what the kernel has healed must not come back.
 */
export function writeRefresh(drop: DropTable): string {
  assertNames(drop);
  const lines = setsOf(drop).flatMap((set) => [
    `delete element inet ${drop.table} ${set.name} ${braces(set.addresses)}`,
    `add element inet ${drop.table} ${set.name} ${elements(set, drop.timeoutMs)}`,
  ]);
  return `${lines.join('\n')}\n`;
}

/** Deletes the table, and is no error where there is none. */
export function writeDelete(table: string): string {
  assert(TOKEN.test(table), `table name ${table}`);
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

/** Lists a table as JSON. */
export function writeList(table: string): string {
  assert(TOKEN.test(table), `table name ${table}`);
  return `list table inet ${table}\n`;
}

/** What the kernel has of a drop table. */
export interface ListedTable {
  /** Of the first rule that drops. */
  faultId?: string;
  /** Dropped packets by peer, both families together. */
  packets: Record<string, number>;
  /** Living addresses by set. */
  addresses: Record<string, string[]>;
}

interface ListedObject {
  set?: { name: string; elem?: unknown[] };
  rule?: { comment?: string; expr?: { counter?: { packets?: number } }[] };
  table?: { name: string };
}

/** @throws nothing for JSON that nft did not write: it is then empty. */
function objectsOf(json: string): ListedObject[] {
  if (json.trim() === '') return [];
  const parsed = JSON.parse(json) as { nftables?: ListedObject[] };
  return Array.isArray(parsed.nftables) ? parsed.nftables : [];
}

/** Reads `nft -j list table`. @throws SyntaxError where the text is no JSON. */
export function readListedTable(json: string): ListedTable {
  const listed: ListedTable = { packets: {}, addresses: {} };
  for (const { set, rule } of objectsOf(json)) {
    if (set) listed.addresses[set.name] = (set.elem ?? []).map(addressOf);
    const [faultId, peer] = (rule?.comment ?? '').split(' ');
    if (!rule || faultId === undefined || peer === undefined) continue;
    const packets = rule.expr?.find((part) => part.counter)?.counter?.packets ?? 0;
    listed.faultId ??= faultId;
    listed.packets[peer] = (listed.packets[peer] ?? 0) + packets;
  }
  return listed;
}

/** An element with a timeout is {elem: {val, timeout, expires}}, one without a bare value. */
function addressOf(element: unknown): string {
  if (typeof element === 'string') return element;
  const inner = (element as { elem?: { val?: unknown } }).elem;
  return typeof inner?.val === 'string' ? inner.val : '';
}

/** Whether every address the table should drop is still in its set. */
export function holdsAll(drop: DropTable, listed: ListedTable): boolean {
  return setsOf(drop).every((set) => {
    const there = new Set(listed.addresses[set.name] ?? []);
    return set.addresses.every((address) => there.has(address));
  });
}

/** Names of our tables in `nft -j list tables inet`. */
export function readOurTables(json: string): string[] {
  return objectsOf(json)
    .map((object) => object.table?.name ?? '')
    .filter((name) => TOKEN.test(name));
}
