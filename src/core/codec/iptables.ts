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
 * The same rules as codec/nft.ts for iptables-restore(8) and ipset(8): one chain a family, named as
 * the table, jumped to first of all from INPUT (OUTPUT where RSTs are swallowed); one set a peer and
 * family, `<table>-<set>`, whose entries carry the timeout.
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
    ...setsOf(rules).flatMap((set) =>
      set.family !== family || set.peer.agentPort === undefined
        ? []
        : set.addresses.map(
            (peer) =>
              `-s ${peer} -d ${address} -p tcp --sport ${set.peer.agentPort} ! --tcp-flags SYN,ACK SYN -j RETURN`,
          ),
    ),
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
function trafficOf(rules: RuleTable, set: PeerSet): { protocol: string; ports: string }[] {
  // RSTs are TCP.
  const protocol = rules.how === 'swallow-resets' ? 'tcp' : rules.protocol;
  const protocols = protocol === 'all' ? ['tcp', 'udp'] : [protocol];
  const { ports } = set.peer;
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

function peerRules(rules: RuleTable, set: PeerSet): string[] {
  const output = hookOf(rules) === 'OUTPUT';
  const whom =
    rules.backend === 'iptables'
      ? [`-m set --match-set ${setName(rules.table, set.name)} ${output ? 'dst' : 'src'}`]
      : set.addresses.map((address) => `${output ? '-d' : '-s'} ${address}`);
  const share =
    rules.perMillion === EVERY_PACKET
      ? ''
      : ` -m statistic --mode random --probability ${rules.perMillion / EVERY_PACKET}`;
  const flags = output ? ' --tcp-flags RST RST' : '';
  const comment = `-m comment --comment "${rules.faultId} ${set.peer.name}"`;
  return trafficOf(rules, set).flatMap(({ protocol, ports }) =>
    whom.map(
      (who) =>
        `-p ${protocol}${flags} ${who}${ports}${share} ${comment} -j ${fateOf(rules, protocol, set.family)}`,
    ),
  );
}

/**
 * What iptables-restore --noflush makes the chain of one family of, in place of one of that name.
 * @param hook whether the jump to it is still missing.
 */
export function writeChain(rules: RuleTable, family: 4 | 6, hook: boolean): string {
  assertNames(rules);
  const lines = [
    ...passRules(rules, family),
    ...setsOf(rules)
      .filter((set) => set.family === family)
      .flatMap((set) => peerRules(rules, set)),
  ];
  return [
    '*filter',
    `:${rules.table} - [0:0]`,
    ...lines.map((line) => `-A ${rules.table} ${line}`),
    ...(hook
      ? [`-I ${hookOf(rules)} 1 -m comment --comment "${rules.faultId}" -j ${rules.table}`]
      : []),
    'COMMIT',
    '',
  ].join('\n');
}

/** What ipset restore makes the sets of; what is there stays, and its time begins anew. */
export function writeSets(rules: RuleTable, bitten: ReadonlySet<string>): string {
  assertNames(rules);
  const lines = setsOf(rules).flatMap((set) => {
    const name = setName(rules.table, set.name);
    const family = set.family === 4 ? 'inet' : 'inet6';
    const timeout = seconds(rules.timeoutMs);
    return [
      `create ${name} hash:ip family ${family} hashsize 64 timeout ${timeout} -exist`,
      ...(bitten.has(set.peer.name)
        ? set.addresses.map((address) => `add ${name} ${address} timeout ${timeout} -exist`)
        : [`flush ${name}`]),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** The jumps to a chain and the chain itself, as they stand in a listing, taken away. */
export function writeRemoval(table: string, saved: string): string {
  assertOurs(table);
  const jumps = saved
    .split('\n')
    .filter((line) => line.endsWith(` -j ${table}`))
    .map((line) => line.replace(/^\[[0-9:]*\] /, '').replace(/^-A /, '-D '));
  const chain = hasChain(table, saved) ? [`-F ${table}`, `-X ${table}`] : [];
  if (jumps.length + chain.length === 0) return '';
  return ['*filter', ...jumps, ...chain, 'COMMIT', ''].join('\n');
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

/** Our sets of a table among the names that `ipset list -name` prints. */
export function setsNamed(table: string, names: string): string[] {
  assertOurs(table);
  return names.split('\n').filter((name) => name.startsWith(`${table}-p`));
}

/** Tables that have sets among those names, whether or not they have a chain. */
export function tablesOfSets(names: string): string[] {
  const tables = names.split('\n').map((name) => /^(.*)-p\d+v[46]$/.exec(name)?.[1] ?? '');
  return [...new Set(tables.filter(isOurs))];
}

/** Reads counters out of iptables-save -c, and living entries out of ipset save. */
export function readChains(
  rules: { table: string },
  saved: readonly string[],
  sets: string,
): ListedTable {
  const listed: ListedTable = { packets: {}, addresses: {} };
  for (const line of saved.flatMap((text) => text.split('\n'))) {
    const rule = /^\[(\d+):\d+\] -A ([^ ]+) .*--comment "([^"]+)"/.exec(line);
    const whose = readComment(rule?.[3] ?? '');
    if (!rule || rule[2] !== rules.table || !whose) continue;
    listed.faultId ??= whose.faultId;
    listed.packets[whose.peer] = (listed.packets[whose.peer] ?? 0) + Number(rule[1]);
  }
  for (const line of sets.split('\n')) {
    const entry = /^add ([^ ]+) ([^ ]+)/.exec(line);
    const name = entry?.[1] ?? '';
    if (!entry || !name.startsWith(`${rules.table}-`)) continue;
    const set = name.slice(rules.table.length + 1);
    listed.addresses[set] = [...(listed.addresses[set] ?? []), entry[2] ?? ''];
  }
  return listed;
}
