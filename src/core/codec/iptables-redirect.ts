import { familyOf } from '../base/address.ts';
import type { Redirection } from '../model/redirection.ts';
import { setName } from './iptables.ts';
import { assertRedirection, commentOf } from './nft-redirect.ts';

/**
 * The same as codec/nft-redirect.ts for iptables-restore(8) and ipset(8): one chain in the table `nat` of
 * a family, named as the table, jumped to first of all, and one set of ports for both families, whose
 * entries carry the timeout.
 */
const PORTS = 'ports';

export const portsSet = (table: string): string => setName(table, PORTS);

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

/** Families in which something is redirected. */
export function familiesOf({ whose }: Redirection): (4 | 6)[] {
  if ('mark' in whose) return [4, 6];
  return ([4, 6] as const).filter((family) => familyOf(family, whose.resolvers).length > 0);
}

function rulesOf(redirection: Redirection, family: 4 | 6, to: number): string[] {
  const { table, whose } = redirection;
  const ports = `-m set --match-set ${portsSet(table)} dst`;
  const sent = `${ports} -m comment --comment "${commentOf(redirection)}" -j REDIRECT --to-ports ${to}`;
  if ('mark' in whose)
    return [
      `-m mark --mark ${whose.mark} -j RETURN`,
      `-p tcp -m addrtype --dst-type LOCAL ${sent}`,
    ];
  const rules = familyOf(family, whose.resolvers).flatMap((address) =>
    ['udp', 'tcp'].map((protocol) => `-d ${address} -p ${protocol} ${sent}`),
  );
  return [`-m owner --gid-owner ${whose.group} -j RETURN`, ...rules];
}

/**
 * What iptables-restore --noflush makes the chain of one family of, in place of one of that name.
 * @param hook whether the jumps to it are still missing. @param to the process's port.
 */
export function writeRedirectChain(
  redirection: Redirection,
  family: 4 | 6,
  to: number,
  hook: boolean,
): string {
  assertRedirection(redirection, to);
  const { table, faultId, whose } = redirection;
  const hooks = 'mark' in whose ? ['PREROUTING', 'OUTPUT'] : ['OUTPUT'];
  const jump = `-m comment --comment "${faultId}" -j ${table}`;
  return [
    '*nat',
    `:${table} - [0:0]`,
    ...rulesOf(redirection, family, to).map((rule) => `-A ${table} ${rule}`),
    ...(hook ? hooks.map((name) => `-I ${name} 1 ${jump}`) : []),
    'COMMIT',
    '',
  ].join('\n');
}

/** What ipset restore makes the set of; what is there stays, and its time begins anew. */
export function writePorts(redirection: Redirection): string {
  const timeout = seconds(redirection.timeoutMs);
  const create = `create ${portsSet(redirection.table)} bitmap:port range 0-65535`;
  return `${create} timeout ${timeout} -exist\n${writePortsRefresh(redirection)}`;
}

/** Renews the timeouts; rejected where the set is gone. */
export function writePortsRefresh(redirection: Redirection): string {
  assertRedirection(redirection);
  const { table, ports, timeoutMs } = redirection;
  return ports
    .map((port) => `add ${portsSet(table)} ${port} timeout ${seconds(timeoutMs)} -exist\n`)
    .join('');
}
