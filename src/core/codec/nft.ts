import { familyOf } from '../base/address.ts';
import { EVERY_PACKET, type RuleTable } from '../model/act-netfilter.ts';
import {
  assertNames,
  assertOurs,
  isOurs,
  readComment,
  setsOf,
  type ListedTable,
  type PeerSet,
} from './netfilter.ts';

/**
 * nftables commands of a rule table, as text for libnftables or `nft -f` (nft(8)), and its listing
 * (`nft -j`, libnftables-json(5)) read back.
 *
 *   table inet <token> {
 *     set p<i>v<4|6> { type ipv<4|6>_addr; flags timeout; elements = { <address> timeout <ms> } }
 *     chain input {
 *       type filter hook input priority -10; policy accept;
 *       iif "lo" accept
 *       icmpv6 neighbour discovery accept                        (RFC 4861)
 *       coordinator -> agent port accept; replies of a peer's agent -> coordinator here accept
 *       where something is answered: the other side's answers (RST, ICMP unreachable) accept
 *       ip|ip6 saddr @p<i>v<4|6> [ports] [numgen] counter <fate> comment "<fault id> <peer>"
 *     }
 *   }
 *
 * Dropped at input on the receiving side: a drop at output is a send error that the sender's TCP
 * sees (EPERM, no backoff), which no network does. The priority lies before the host's own filter,
 * so that what the host's rules would drop is counted here all the same. Only RSTs are swallowed at
 * output, with addresses and ports turned round: nobody waits for the sending of a RST.
 */

const DISCOVERY =
  'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }';
const RST = 'tcp flags & rst == rst';

const saddr = (family: 4 | 6): string => (family === 4 ? 'ip saddr' : 'ip6 saddr');
const daddr = (family: 4 | 6): string => (family === 4 ? 'ip daddr' : 'ip6 daddr');
const braces = (items: readonly (string | number)[]): string => `{ ${items.join(', ')} }`;

function elements(set: PeerSet, timeoutMs: number): string {
  return braces(set.addresses.map((address) => `${address} timeout ${timeoutMs}ms`));
}

/** Accepting rules: the path between coordinator and agent, in both directions, and no more. */
function controlRules(rules: RuleTable): string[] {
  const lines: string[] = [];
  for (const family of [4, 6] as const) {
    const coordinator = familyOf(family, rules.control.coordinatorAddresses);
    if (coordinator.length === 0) continue;
    const there = braces(coordinator);
    lines.push(`${saddr(family)} ${there} tcp dport ${rules.control.agentPort} accept`);
    // Where the coordinator lives on this node: what peers' agents answer, but no new connection.
    for (const set of setsOf(rules)) {
      if (set.family !== family || set.peer.agentPort === undefined) continue;
      const from = `${saddr(family)} ${braces(set.addresses)} tcp sport ${set.peer.agentPort}`;
      lines.push(`${from} ${daddr(family)} ${there} tcp flags & (syn | ack) != syn accept`);
    }
  }
  return lines;
}

/** What lets the other side's refusals through: a RST that is answered by a RST kills nothing. */
function answerRules(rules: RuleTable): string[] {
  if (rules.how === 'drop') return [];
  const lines = [
    `icmp type destination-unreachable accept`,
    `icmpv6 type destination-unreachable accept`,
  ];
  return rules.how === 'reset' ? [`${RST} accept`, ...lines] : lines;
}

/** The matches a peer's packets are known by besides its address: any of these. */
function trafficOf(rules: RuleTable, set: PeerSet): string[] {
  // RSTs are TCP.
  const protocol = rules.how === 'swallow-resets' ? 'tcp' : rules.protocol;
  const { ports } = set.peer;
  if (!ports) return [protocol === 'all' ? '' : ` meta l4proto ${protocol}`];
  const turned = rules.how === 'swallow-resets';
  const [to, from] = turned ? [ports.remote, ports.local] : [ports.local, ports.remote];
  const carrier = protocol === 'all' ? 'meta l4proto { tcp, udp } th' : protocol;
  return [
    ...(to.length > 0 ? [` ${carrier} dport ${braces(to)}`] : []),
    ...(from.length > 0 ? [` ${carrier} sport ${braces(from)}`] : []),
  ];
}

function peerRules(rules: RuleTable, set: PeerSet): string[] {
  const address = rules.how === 'swallow-resets' ? daddr(set.family) : saddr(set.family);
  const share =
    rules.perMillion === EVERY_PACKET
      ? ''
      : ` numgen random mod ${EVERY_PACKET} < ${rules.perMillion}`;
  const comment = `comment "${rules.faultId} ${set.peer.name}"`;
  const refuse = `${share} counter reject with icmpx admin-prohibited ${comment}`;
  return trafficOf(rules, set).flatMap((traffic) => {
    const meets = `${address} @${set.name}${traffic}`;
    switch (rules.how) {
      case 'drop':
        return [`${meets}${share} counter drop ${comment}`];
      case 'reject':
        return [`${meets}${refuse}`];
      case 'reset': {
        const reset = `${meets} meta l4proto tcp${share} counter reject with tcp reset ${comment}`;
        const rest = `${meets} meta l4proto != tcp${refuse}`;
        if (rules.protocol === 'all') return [reset, rest];
        return rules.protocol === 'tcp' ? [reset] : [`${meets}${refuse}`];
      }
      case 'swallow-resets':
        return [`${meets} ${RST}${share} counter drop ${comment}`];
    }
  });
}

/** One transaction that makes the table, in place of one of that name. @param bitten peers now. */
export function writeTable(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const sets = setsOf(rules);
  const hook = rules.how === 'swallow-resets' ? 'output' : 'input';
  const lines = [
    hook === 'input' ? 'iif "lo" accept' : 'oif "lo" accept',
    `${DISCOVERY} accept`,
    ...(hook === 'input' ? [...controlRules(rules), ...answerRules(rules)] : []),
    ...sets.flatMap((set) => peerRules(rules, set)),
  ];
  return [
    `add table inet ${rules.table}`,
    `delete table inet ${rules.table}`,
    `table inet ${rules.table} {`,
    ...sets.map((set) => {
      const inside = bitten.has(set.peer.name)
        ? ` elements = ${elements(set, rules.timeoutMs)};`
        : '';
      return ` set ${set.name} { type ipv${set.family}_addr; flags timeout;${inside} }`;
    }),
    ` chain ${hook} {`,
    `  type filter hook ${hook} priority -10; policy accept;`,
    ...lines.map((line) => `  ${line}`),
    ' }',
    '}',
    '',
  ].join('\n');
}

/**
 * One transaction that renews the timeouts (adding an element that is there renews nothing). It is
 * rejected whole where one element has expired: what the kernel has healed must not come back.
 */
export function writeRefresh(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const living = setsOf(rules).filter((set) => bitten.has(set.peer.name));
  const lines = living.flatMap((set) => [
    `delete element inet ${rules.table} ${set.name} ${braces(set.addresses)}`,
    `add element inet ${rules.table} ${set.name} ${elements(set, rules.timeoutMs)}`,
  ]);
  return `${lines.join('\n')}\n`;
}

/** One transaction after which exactly these peers are bitten. */
export function writeBitten(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const lines = setsOf(rules).flatMap((set) => [
    `flush set inet ${rules.table} ${set.name}`,
    ...(bitten.has(set.peer.name)
      ? [`add element inet ${rules.table} ${set.name} ${elements(set, rules.timeoutMs)}`]
      : []),
  ]);
  return `${lines.join('\n')}\n`;
}

/** Deletes the table, and is no error where there is none. */
export function writeDelete(table: string): string {
  assertOurs(table);
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

/** Lists a table as JSON. */
export function writeList(table: string): string {
  assertOurs(table);
  return `list table inet ${table}\n`;
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
    const whose = readComment(rule?.comment ?? '');
    if (!rule || !whose) continue;
    const packets = rule.expr?.find((part) => part.counter)?.counter?.packets ?? 0;
    listed.faultId ??= whose.faultId;
    listed.packets[whose.peer] = (listed.packets[whose.peer] ?? 0) + packets;
  }
  return listed;
}

/** An element with a timeout is {elem: {val, timeout, expires}}, one without a bare value. */
function addressOf(element: unknown): string {
  if (typeof element === 'string') return element;
  const inner = (element as { elem?: { val?: unknown } }).elem;
  return typeof inner?.val === 'string' ? inner.val : '';
}

/** Names of our tables in `nft -j list tables inet`. */
export function readOurTables(json: string): string[] {
  return objectsOf(json)
    .map((object) => object.table?.name ?? '')
    .filter(isOurs);
}
