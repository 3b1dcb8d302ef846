import { assert } from '../base/assert.ts';
import type { RedirectTable } from '../model/act-proxy.ts';

/**
 * nftables commands of a table that sends connections to a proxy on this node (nft(8)):
 *
 *   table inet <token> {
 *     set ports { type inet_service; flags timeout; elements = { <port> timeout <ms> } }
 *     chain prerouting { type nat hook prerouting priority -110; <rules> }
 *     chain output     { type nat hook output priority -110; <rules> }
 *   }
 *   rules: meta mark <mark> accept                                   the proxy's own connections
 *          fib daddr type local tcp dport @ports counter redirect to :<port> comment "<fault id> proxy"
 *
 * NAT sees the first packet of a connection only: connections that are open stay as they are. Before
 * the host's own translation (-100), so that the port is the one the client named.
 */
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;

function elements({ ports, timeoutMs }: RedirectTable): string {
  return `{ ${ports.map((port) => `${port} timeout ${timeoutMs}ms`).join(', ')} }`;
}

function assertTable(redirect: RedirectTable): void {
  assert(TOKEN.test(redirect.table), `table name ${redirect.table}`);
  assert(FAULT_ID.test(redirect.faultId), `fault id ${redirect.faultId}`);
  assert(
    redirect.ports.length > 0 && redirect.ports.every(isPort),
    `ports ${redirect.ports.join()}`,
  );
  assert(Number.isInteger(redirect.timeoutMs) && redirect.timeoutMs > 0, 'timeout');
}

/** One transaction that makes the table, in place of one of that name. @param to the proxy's port. */
export function writeRedirectTable(redirect: RedirectTable, to: number): string {
  assertTable(redirect);
  assert(isPort(to), `port ${to}`);
  const rules = [
    `  meta mark ${redirect.mark} accept`,
    `  fib daddr type local tcp dport @ports counter redirect to :${to} comment "${redirect.faultId} proxy"`,
    ' }',
  ];
  return [
    `add table inet ${redirect.table}`,
    `delete table inet ${redirect.table}`,
    `table inet ${redirect.table} {`,
    ` set ports { type inet_service; flags timeout; elements = ${elements(redirect)}; }`,
    ' chain prerouting {',
    '  type nat hook prerouting priority -110; policy accept;',
    ...rules,
    ' chain output {',
    '  type nat hook output priority -110; policy accept;',
    ...rules,
    '}',
    '',
  ].join('\n');
}

/** Renews the timeouts; rejected whole where one has expired or the table is gone. */
export function writeRedirectRefresh(redirect: RedirectTable): string {
  assertTable(redirect);
  return [
    `delete element inet ${redirect.table} ports { ${redirect.ports.join(', ')} }`,
    `add element inet ${redirect.table} ports ${elements(redirect)}`,
    '',
  ].join('\n');
}

/**
 * Sends no new connections to the proxy any more. The table stays while connections run through it: once
 * the last NAT chain of a network namespace is gone, the kernel translates none of them (net/netfilter,
 * nf_nat_unregister_fn), and what the proxy says, its reset included, no longer reaches the client.
 */
export function writeRedirectStop(table: string): string {
  assert(TOKEN.test(table), `table name ${table}`);
  return `flush set inet ${table} ports\n`;
}
