import { familyOf } from '../base/address.ts';
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

/**
 * The same rules as codec/nft.ts for iptables-restore(8) and ipset(8): one chain a family, named as
 * the table, jumped to first of all from INPUT (OUTPUT where RSTs are swallowed). Of each group of
 * peers one set whose entries carry the timeout, `<table>-g<i>v<4|6>`, and one that counts,
 * `<table>-c<i>v<4|6>`: its entries are never renewed nor taken out. It is the last match of a rule,
 * since a set counts what it is asked for, whatever is asked after it.
 */

/** Ports one `multiport` match takes (iptables-extensions(8)). */
const MULTIPORT_MAX = 15;
const DISCOVERY = [133, 134, 135, 136];

export const setName = (table: string, set: string): string => `${table}-${set}`;
export const hookOf = (rules: RuleTable): 'INPUT' | 'OUTPUT' =>
  rules.how === 'swallow-resets' ? 'OUTPUT' : 'INPUT';

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

function* chunks(items: readonly number[]): Generator<string> {
  for (let from = 0; from < items.length; from += MULTIPORT_MAX)
    yield items.slice(from, from + MULTIPORT_MAX).join(',');
}

function controlRules(rules: RuleTable, family: 4 | 6): string[] {
  const coordinator = familyOf(family, rules.control.coordinatorAddresses);
  return coordinator.flatMap((address) => [
    `-s ${address} -p tcp --dport ${rules.control.agentPort} -j RETURN`,
    ...groupsOf(rules)
      .filter((group) => group.family === family && group.agentPort !== undefined)
      .flatMap((group) => {
        const answers = `-d ${address} -p tcp --sport ${group.agentPort} ! --tcp-flags SYN,ACK SYN`;
        return whom(rules, group).map((who) => `${answers} ${who.match} -j RETURN`);
      }),
  ]);
}

function passRules(rules: RuleTable, family: 4 | 6): string[] {
  const lines = [`${hookOf(rules) === 'INPUT' ? '-i' : '-o'} lo -j RETURN`];
  if (family === 6)
    lines.push(...DISCOVERY.map((type) => `-p icmpv6 --icmpv6-type ${type} -j RETURN`));
  if (hookOf(rules) === 'OUTPUT') return lines;
  lines.push(...controlRules(rules, family));
  if (rules.how === 'drop') return lines;
  if (rules.how === 'reset') lines.push('-p tcp --tcp-flags RST RST -j RETURN');
  lines.push(
    family === 4
      ? '-p icmp --icmp-type destination-unreachable -j RETURN'
      : '-p icmpv6 --icmpv6-type destination-unreachable -j RETURN',
  );
  return lines;
}

/** Protocol and ports, as matches: any of these. The protocol stands first: other matches need it. */
function trafficOf(rules: RuleTable, { ports }: PeerGroup): { protocol: string; ports: string }[] {
  // RSTs are TCP.
  const protocol = rules.how === 'swallow-resets' ? 'tcp' : rules.protocol;
  const protocols = protocol === 'all' ? ['tcp', 'udp'] : [protocol];
  if (!ports) {
    const whole = rules.how === 'reset' ? ['tcp', 'all'] : ['all'];
    return (protocol === 'all' ? whole : protocols).map((one) => ({ protocol: one, ports: '' }));
  }
  const turned = rules.how === 'swallow-resets';
  const [to, from] = turned ? [ports.remote, ports.local] : [ports.local, ports.remote];
  return protocols.flatMap((one) => [
    ...[...chunks(to)].map((list) => ({ protocol: one, ports: ` -m multiport --dports ${list}` })),
    ...[...chunks(from)].map((list) => ({
      protocol: one,
      ports: ` -m multiport --sports ${list}`,
    })),
  ]);
}

function fateOf(rules: RuleTable, protocol: string, family: 4 | 6): string {
  if (rules.how === 'drop' || rules.how === 'swallow-resets') return 'DROP';
  if (rules.how === 'reset' && protocol === 'tcp') return 'REJECT --reject-with tcp-reset';
  return `REJECT --reject-with ${family === 4 ? 'icmp-admin-prohibited' : 'icmp6-adm-prohibited'}`;
}

/** A group by its set, or each of its addresses by itself. `counted`: what counts it, the last match. */
function whom(rules: RuleTable, group: PeerGroup): { match: string; counted: string }[] {
  const output = hookOf(rules) === 'OUTPUT';
  if (rules.backend === 'iptables') {
    const inSet = (set: string): string =>
      `-m set --match-set ${setName(rules.table, set)} ${output ? 'dst' : 'src'}`;
    return [{ match: inSet(group.name), counted: `${comment(rules)} ${inSet(group.counts)}` }];
  }
  return group.members.flatMap(({ peer, addresses }) =>
    addresses.map((address) => ({
      match: `${output ? '-d' : '-s'} ${address}`,
      counted: comment(rules, peer),
    })),
  );
}

const comment = ({ faultId }: RuleTable, peer?: string): string =>
  `-m comment --comment "${peer === undefined ? faultId : `${faultId} ${peer}`}"`;

function groupRules(rules: RuleTable, group: PeerGroup): string[] {
  const share =
    rules.perMillion === EVERY_PACKET
      ? ''
      : ` -m statistic --mode random --probability ${rules.perMillion / EVERY_PACKET}`;
  const flags = hookOf(rules) === 'OUTPUT' ? ' --tcp-flags RST RST' : '';
  return trafficOf(rules, group).flatMap(({ protocol, ports }) => {
    const fate = fateOf(rules, protocol, group.family);
    return whom(rules, group).map(
      ({ match, counted }) =>
        `-p ${protocol}${flags} ${match}${ports}${share} ${counted} -j ${fate}`,
    );
  });
}

/**
 * What iptables-restore --noflush makes the chain of one family of, in place of one of that name.
 * @param hook whether the jump to it is still missing.
 */
export function writeChain(rules: RuleTable, family: 4 | 6, hook: boolean): string {
  assertNames(rules);
  const lines = [
    ...passRules(rules, family),
    ...groupsOf(rules)
      .filter((group) => group.family === family)
      .flatMap((group) => groupRules(rules, group)),
  ];
  return [
    '*filter',
    `:${rules.table} - [0:0]`,
    ...lines.map((line) => `-A ${rules.table} ${line}`),
    ...(hook ? [`-I ${hookOf(rules)} 1 ${comment(rules)} -j ${rules.table}`] : []),
    'COMMIT',
    '',
  ].join('\n');
}

/**
 * What ipset restore makes the sets of; what is there stays, and its time begins anew. Who is bitten
 * no longer goes out one by one: a set that is empty for a moment lets packets pass.
 */
export function writeSets(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const timeout = seconds(rules.timeoutMs);
  const lines = groupsOf(rules).flatMap((group) => {
    const [name, counts] = [group.name, group.counts].map((set) => setName(rules.table, set));
    const all = addressesIn(group);
    const now = new Set(addressesIn(group, bitten));
    const size = 2 ** Math.max(6, Math.ceil(Math.log2(all.length)));
    const kind = `hash:ip family ${group.family === 4 ? 'inet' : 'inet6'} hashsize ${size}`;
    return [
      `create ${counts} ${kind} counters -exist`,
      ...all.map((address) => `add ${counts} ${address} -exist`),
      `create ${name} ${kind} timeout ${timeout} -exist`,
      ...all.map((address) =>
        now.has(address)
          ? `add ${name} ${address} timeout ${timeout} -exist`
          : `del ${name} ${address} -exist`,
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** Lines of a listing by their table: '*filter' and so on. */
function tablesOf(saved: string): { head: string; lines: string[] }[] {
  const tables: { head: string; lines: string[] }[] = [];
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) tables.push({ head: line, lines: [] });
    else tables.at(-1)?.lines.push(line);
  }
  return tables;
}

/** The jumps to a chain and the chain itself, as they stand in a listing, taken away. */
export function writeRemoval(table: string, saved: string): string {
  assertOurs(table);
  const removals = tablesOf(saved).flatMap(({ head, lines }) => {
    const jumps = lines
      .filter((line) => line.endsWith(` -j ${table}`))
      .map((line) => line.replace(/^\[[0-9:]*\] /, '').replace(/^-A /, '-D '));
    const chain = hasChain(table, lines.join('\n')) ? [`-F ${table}`, `-X ${table}`] : [];
    return jumps.length + chain.length === 0 ? [] : [head, ...jumps, ...chain, 'COMMIT', ''];
  });
  return removals.join('\n');
}

export function hasChain(table: string, saved: string): boolean {
  return saved.split('\n').some((line) => line.startsWith(`:${table} `));
}

/** Whether a chain is jumped to. */
export function isHooked(table: string, saved: string): boolean {
  return saved.split('\n').some((line) => line.endsWith(` -j ${table}`));
}

/** Names of our chains in the text of iptables-save. */
export function readOurChains(saved: string): string[] {
  const names = saved.split('\n').map((line) => /^:([^ ]+) /.exec(line)?.[1] ?? '');
  return [...new Set(names.filter(isOurs))];
}

/** Sets of addresses, and that of the ports of a redirection. */
const SET = /^(.*)-(?:[gc]\d+v[46]|ports)$/;

/** Our sets of a table among the names that `ipset list -name` prints. */
export function setsNamed(table: string, names: string): string[] {
  assertOurs(table);
  return names.split('\n').filter((name) => SET.test(name) && name.startsWith(`${table}-`));
}

/** Tables that have sets among those names, whether or not they have a chain. */
export function tablesOfSets(names: string): string[] {
  const tables = names.split('\n').map((name) => SET.exec(name)?.[1] ?? '');
  return [...new Set(tables.filter(isOurs))];
}

/** Reads counters out of iptables-save -c, and living entries out of ipset save. */
export function readChains(
  rules: { table: string },
  saved: readonly string[],
  sets: string,
): ListedTable {
  const listed: ListedTable = { packets: {}, addresses: {} };
  const count = (whom: string, packets: number): void => {
    listed.packets[whom] = (listed.packets[whom] ?? 0) + packets;
  };
  for (const line of saved.flatMap((text) => text.split('\n'))) {
    const rule = /^\[(\d+):\d+\] -A ([^ ]+) .*--comment (?:"([^"]+)"|([^ ]+))/.exec(line);
    const whose = readComment(rule?.[3] ?? rule?.[4] ?? '');
    if (!rule || rule[2] !== rules.table || !whose) continue;
    listed.faultId ??= whose.faultId;
    if (whose.peer !== undefined) count(whose.peer, Number(rule[1]));
  }
  for (const line of sets.split('\n')) {
    const entry = /^add ([^ ]+) ([^ ]+)(?: packets (\d+))?/.exec(line);
    const name = entry?.[1] ?? '';
    if (!entry || !name.startsWith(`${rules.table}-`)) continue;
    const set = name.slice(rules.table.length + 1);
    const address = entry[2] ?? '';
    if (entry[3] !== undefined) count(address, Number(entry[3]));
    (listed.addresses[set] ??= []).push(address);
  }
  return listed;
}
