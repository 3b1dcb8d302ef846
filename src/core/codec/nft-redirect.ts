import { familyOf } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import type { Redirection } from '../model/redirection.ts';
import { assertOurs } from './netfilter.ts';

/**
 * nftables commands of a table that sends what is new to a process on this node (nft(8)):
 *
 *   table inet <token> {
 *     set ports { type inet_service; flags timeout; elements = { <port> timeout <ms> } }
 *     chain prerouting { type nat hook prerouting priority -110; <rules> }      connections to here only
 *     chain output     { type nat hook output priority -110; <rules> }
 *   }
 *   rules, of connections to here:
 *     meta mark <mark> accept                                   the process's own connections
 *     fib daddr type local tcp dport @ports counter redirect to :<port> comment "<fault id> proxy"
 *   rules, of queries to resolvers:
 *     meta skgid <group> accept                                 what the process itself asks
 *     ip daddr { <resolvers> } meta l4proto { tcp, udp } th dport @ports
 *       counter redirect to :<port> comment "<fault id> dns"
 *
 * NAT sees the first packet of a connection only: connections that are open stay as they are. Before
 * the host's own translation (-100), so that the port is the one the client named. Only what goes to the
 * node's own resolvers: a resolver on this node asks others, which is not met.
 */
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;

function elements({ ports, timeoutMs }: Redirection): string {
  return `{ ${ports.map((port) => `${port} timeout ${timeoutMs}ms`).join(', ')} }`;
}

/** What is written into rules is what it says it is. @param to the process's port. */
export function assertRedirection(redirection: Redirection, to = 1): void {
  const { table, faultId, ports, timeoutMs } = redirection;
  assertOurs(table);
  assert(FAULT_ID.test(faultId), `fault id ${faultId}`);
  assert(ports.length > 0 && ports.every(isPort), `ports ${ports.join()}`);
  assert(Number.isInteger(timeoutMs) && timeoutMs > 0, 'timeout');
  assert(isPort(to), `port ${to}`);
}

/** What the rule that redirects is known by, and counted. */
export const commentOf = ({ faultId, whose }: Redirection): string =>
  `${faultId} ${'mark' in whose ? 'proxy' : 'dns'}`;

function rulesOf(redirection: Redirection, to: number): string[] {
  const { whose } = redirection;
  const sent = `counter redirect to :${to} comment "${commentOf(redirection)}"`;
  if ('mark' in whose)
    return [`meta mark ${whose.mark} accept`, `fib daddr type local tcp dport @ports ${sent}`];
  const rules = ([4, 6] as const).flatMap((family) => {
    const addresses = familyOf(family, whose.resolvers);
    if (addresses.length === 0) return [];
    const whom = `${family === 4 ? 'ip' : 'ip6'} daddr { ${addresses.join(', ')} }`;
    return [`${whom} meta l4proto { tcp, udp } th dport @ports ${sent}`];
  });
  return [`meta skgid ${whose.group} accept`, ...rules];
}

/** One transaction that makes the table, in place of one of that name. @param to the process's port. */
export function writeRedirectTable(redirection: Redirection, to: number): string {
  assertRedirection(redirection, to);
  const { table, whose } = redirection;
  const chain = (hook: string): string[] => [
    ` chain ${hook} {`,
    `  type nat hook ${hook} priority -110; policy accept;`,
    ...rulesOf(redirection, to).map((rule) => `  ${rule}`),
    ' }',
  ];
  return [
    `add table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    ` set ports { type inet_service; flags timeout; elements = ${elements(redirection)}; }`,
    ...('mark' in whose ? chain('prerouting') : []),
    ...chain('output'),
    '}',
    '',
  ].join('\n');
}

/** Renews the timeouts; rejected whole where one has expired or the table is gone. */
export function writeRedirectRefresh(redirection: Redirection): string {
  assertRedirection(redirection);
  const { table, ports } = redirection;
  return [
    `delete element inet ${table} ports { ${ports.join(', ')} }`,
    `add element inet ${table} ports ${elements(redirection)}`,
    '',
  ].join('\n');
}

/**
 * Sends no new connections to the process any more. The table stays while connections run through it: once
 * the last NAT chain of a network namespace is gone, the kernel translates none of them (net/netfilter,
 * nf_nat_unregister_fn), and what a proxy says, its reset included, no longer reaches the client.
 */
export function writeRedirectStop(table: string): string {
  assertOurs(table);
  return `flush set inet ${table} ports\n`;
}
