import { EVERY_PACKET, type RuleTable } from '../model/act-netfilter.ts';
import {
  addressesIn,
  assertNames,
  assertOurs,
  groupsOf,
  isOurs,
  readComment,
  type ListedTable,
  type PeerGroup,
} from './netfilter.ts';
import {
  braces,
  controlRules,
  daddr,
  DISCOVERY,
  incoming,
  leaving,
  saddr,
  trafficOf,
} from './nft-rules.ts';

/**
 * nftables commands of a rule table, as text for libnftables or `nft -f` (nft(8)), and its listing
 * (`nft -j`, libnftables-json(5)) read back.
 *
 *   table inet <token> {
 *     set g<i>v<4|6> { type ipv<4|6>_addr; flags timeout; timeout <ms>; elements = {...} }
 *     set c<i>v<4|6> { type ipv<4|6>_addr; size <n>; flags dynamic }    filled by the packets met
 *     chain input {
 *       type filter hook input priority -10; policy accept;
 *       iif "lo" accept
 *       icmpv6 neighbour discovery accept                        (RFC 4861)
 *       coordinator -> agent port accept; replies of a peer's agent -> coordinator here accept
 *       where something is answered: the other side's answers (RST, ICMP unreachable) accept
 *       ip|ip6 saddr @g<i>v<4|6> [ports] [numgen] add @c<i>v<4|6> { ip|ip6 saddr counter }
 *         <fate> comment "<fault id>"
 *     }
 *   }
 *
 * Dropped at input on the receiving side: a drop at output is a send error that the sender's TCP
 * sees (EPERM, no backoff), which no network does. Counts stand in a set of their own, since renewing
 * an element begins it anew. The priority lies before the host's own filter,
 * so that what the host's rules would drop is counted here all the same. Only RSTs are swallowed at
 * output, with addresses and ports turned round: nobody waits for the sending of a RST.
 */

const RST = 'tcp flags & rst == rst';

/** Room for an address that two processors are adding at once: a full set would let packets pass. */
const roomFor = (group: PeerGroup): number => 2 * addressesIn(group).length + 64;

/** What lets the other side's refusals through: a RST that is answered by a RST kills nothing. */
function answerRules(rules: RuleTable): string[] {
  if (rules.how === 'drop') return [];
  const lines = [
    `icmp type destination-unreachable accept`,
    `icmpv6 type destination-unreachable accept`,
  ];
  return rules.how === 'reset' ? [`${RST} accept`, ...lines] : lines;
}

/** RSTs are TCP, and leave. */
function matchesOf({ how, protocol }: RuleTable, { ports }: PeerGroup): string[] {
  const swallows = how === 'swallow-resets';
  return trafficOf(swallows ? 'tcp' : protocol, swallows ? leaving(ports) : incoming(ports));
}

function groupRules(rules: RuleTable, group: PeerGroup): string[] {
  const address = rules.how === 'swallow-resets' ? daddr(group.family) : saddr(group.family);
  const share =
    rules.perMillion === EVERY_PACKET
      ? ''
      : ` numgen random mod ${EVERY_PACKET} < ${rules.perMillion}`;
  const comment = `comment "${rules.faultId}"`;
  const counted = `${share} add @${group.counts} { ${address} counter }`;
  const refuse = `${counted} reject with icmpx admin-prohibited ${comment}`;
  return matchesOf(rules, group).flatMap((traffic) => {
    const meets = `${address} @${group.name}${traffic}`;
    switch (rules.how) {
      case 'drop':
        return [`${meets}${counted} drop ${comment}`];
      case 'reject':
        return [`${meets}${refuse}`];
      case 'reset': {
        const reset = `${meets} meta l4proto tcp${counted} reject with tcp reset ${comment}`;
        const rest = `${meets} meta l4proto != tcp${refuse}`;
        if (rules.protocol === 'all') return [reset, rest];
        return rules.protocol === 'tcp' ? [reset] : [`${meets}${refuse}`];
      }
      case 'swallow-resets':
        return [`${meets} ${RST}${counted} drop ${comment}`];
    }
  });
}

/** One transaction that makes the table, in place of one of that name. @param bitten peers now. */
export function writeTable(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const groups = groupsOf(rules);
  const hook = rules.how === 'swallow-resets' ? 'output' : 'input';
  const lines = [
    hook === 'input' ? 'iif "lo" accept' : 'oif "lo" accept',
    `${DISCOVERY} accept`,
    ...(hook === 'input' ? [...controlRules(rules), ...answerRules(rules)] : []),
    ...groups.flatMap((group) => groupRules(rules, group)),
  ];
  return [
    `add table inet ${rules.table}`,
    `delete table inet ${rules.table}`,
    `table inet ${rules.table} {`,
    ...groups.flatMap((group) => {
      const type = `type ipv${group.family}_addr;`;
      const inside = addressesIn(group, bitten);
      const elements = inside.length === 0 ? '' : ` elements = ${braces(inside)};`;
      return [
        ` set ${group.name} { ${type} flags timeout; timeout ${rules.timeoutMs}ms;${elements} }`,
        ` set ${group.counts} { ${type} size ${roomFor(group)}; flags dynamic; }`,
      ];
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
  const lines = groupsOf(rules).flatMap((group) => {
    const living = addressesIn(group, bitten);
    if (living.length === 0) return [];
    const elements = `element inet ${rules.table} ${group.name} ${braces(living)}`;
    return [`delete ${elements}`, `add ${elements}`];
  });
  return `${lines.join('\n')}\n`;
}

/** One transaction after which exactly these peers are bitten. */
export function writeBitten(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const lines = groupsOf(rules).flatMap((group) => {
    const now = addressesIn(group, bitten);
    const add = `add element inet ${rules.table} ${group.name} ${braces(now)}`;
    return [`flush set inet ${rules.table} ${group.name}`, ...(now.length === 0 ? [] : [add])];
  });
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
  set?: { table: string; name: string; elem?: unknown[] };
  rule?: { comment?: string; expr?: { counter?: { packets?: number } }[] };
  table?: { name: string };
}

/** @throws nothing for JSON that nft did not write: it is then empty. */
function objectsOf(json: string): ListedObject[] {
  if (json.trim() === '') return [];
  const parsed = JSON.parse(json) as { nftables?: ListedObject[] };
  return Array.isArray(parsed.nftables) ? parsed.nftables : [];
}

/**
 * Reads `nft -j list table` or `list sets`. @throws SyntaxError where the text is no JSON.
 * @param only the table whose sets are meant: `list sets table` shows those of all (nft 1.0.6).
 */
export function readListedTable(json: string, only?: string): ListedTable {
  const listed: ListedTable = { packets: {}, addresses: {} };
  const count = (whom: string, packets: number | undefined): void => {
    if (packets !== undefined) listed.packets[whom] = (listed.packets[whom] ?? 0) + packets;
  };
  for (const { set, rule } of objectsOf(json)) {
    if (set && only !== undefined && set.table !== only) continue;
    const elements = (set?.elem ?? []).map(readElement);
    if (set) listed.addresses[set.name] = elements.map(({ address }) => address);
    for (const { address, whom = address, packets } of elements) count(whom, packets);
    const whose = readComment(rule?.comment ?? '');
    if (!rule || !whose) continue;
    listed.faultId ??= whose.faultId;
    const packets = rule.expr?.find((part) => part.counter)?.counter?.packets ?? 0;
    if (whose.peer !== undefined) count(whose.peer, packets);
  }
  return listed;
}

interface ListedElement {
  elem?: { val?: unknown; comment?: string; counter?: { packets?: number } };
}

/** An element with a timeout or a counter is {elem: {val, ...}}, any other a bare value. */
function readElement(element: unknown): { address: string; whom?: string; packets?: number } {
  if (typeof element === 'string') return { address: element };
  const { val, comment, counter } = (element as ListedElement).elem ?? {};
  return {
    address: typeof val === 'string' ? val : '',
    ...(comment !== undefined && { whom: comment }),
    ...(counter?.packets !== undefined && { packets: counter.packets }),
  };
}

/** Names of our tables in `nft -j list tables inet`. */
export function readOurTables(json: string): string[] {
  return objectsOf(json)
    .map((object) => object.table?.name ?? '')
    .filter(isOurs);
}
