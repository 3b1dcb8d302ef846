import { familyOf } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import type { DnsOrders } from '../model/act-dns.ts';
import { assertOurs } from './netfilter.ts';

/**
 * nftables commands of a table that sends this node's DNS queries to a responder on it (nft(8)):
 *
 *   table inet <token> {
 *     set ports { type inet_service; flags timeout; elements = { 53 timeout <ms> } }
 *     chain output {
 *       type nat hook output priority -110; policy accept;
 *       meta skgid <group> accept                                 what the responder itself asks
 *       ip daddr { <resolvers> } meta l4proto { tcp, udp } th dport @ports
 *         counter redirect to :<port> comment "<fault id> dns"
 *     }
 *   }
 *
 * Only what goes to the node's own resolvers: a resolver on this node asks others, which is not met.
 */
const FAULT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** The group that a responder runs as, so that its own queries are known. */
export const RESPONDER_GROUP = 53_053;
/** How long the redirection lasts without its responder. */
const ELEMENT_MS = 4_000;
export const DNS_RENEW_MS = 1_000;

const ELEMENT = `{ 53 timeout ${ELEMENT_MS}ms }`;

/** One transaction that makes the table, in place of one of that name. @param to the responder's port. */
export function writeDnsTable({ table, faultId, resolvers }: DnsOrders, to: number): string {
  assertOurs(table);
  assert(FAULT_ID.test(faultId), `fault id ${faultId}`);
  assert(Number.isInteger(to) && to > 0 && to < 65_536, `port ${to}`);
  const rules = ([4, 6] as const).flatMap((family) => {
    const addresses = familyOf(family, resolvers);
    if (addresses.length === 0) return [];
    const whom = `${family === 4 ? 'ip' : 'ip6'} daddr { ${addresses.join(', ')} }`;
    const what = 'meta l4proto { tcp, udp } th dport @ports';
    return [`  ${whom} ${what} counter redirect to :${to} comment "${faultId} dns"`];
  });
  return [
    `add table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    ` set ports { type inet_service; flags timeout; elements = ${ELEMENT}; }`,
    ' chain output {',
    '  type nat hook output priority -110; policy accept;',
    `  meta skgid ${RESPONDER_GROUP} accept`,
    ...rules,
    ' }',
    '}',
    '',
  ].join('\n');
}

/** Renews the timeout; rejected whole where it has expired or the table is gone. */
export function writeDnsRenewal(table: string): string {
  assertOurs(table);
  return [
    `delete element inet ${table} ports { 53 }`,
    `add element inet ${table} ports ${ELEMENT}`,
    '',
  ].join('\n');
}
