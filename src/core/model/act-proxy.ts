import type { ProxyRule } from './proxy-rule.ts';

/** One nftables table of ours that sends connections to a proxy; codec/nft-redirect.ts writes it. */
export interface RedirectTable {
  table: string;
  faultId: string;
  /** Ports of this node whose new connections are sent to the proxy. */
  ports: number[];
  /** Of the proxy's own connections, which pass. */
  mark: number;
  /** How long its elements live; the proxy renews them every second. */
  timeoutMs: number;
}

/** Certificate and key, PEM files on the node: the proxy then ends TLS, and begins it anew. */
export interface ProxyTls {
  certificate: string;
  key: string;
}

/** All that a proxy in a node is told. */
export interface ProxyOrders {
  redirect: RedirectTable;
  rules: ProxyRule[];
  /** Decimal text of the seed that its chance comes from. */
  seed: string;
  /** It ends by itself when nobody has asked for it for so long. */
  timeoutMs: number;
  tls?: ProxyTls;
}

export type ProxyAct =
  /** A proxy in a process of its own that outlives the agent, and the table that sends it connections. */
  | { act: 'kafka.proxy'; token: string; orders: ProxyOrders }
  /** Renews the proxy's own timeout; a Failure 'expired' where it has ended by itself. */
  | { act: 'kafka.proxy.refresh'; token: string }
  /** What is held goes on; then the process goes, then the table. */
  | { act: 'kafka.proxy.stop'; token: string };

export function describeProxyAct(act: ProxyAct): string {
  switch (act.act) {
    case 'kafka.proxy': {
      const { redirect, rules } = act.orders;
      const ports = redirect.ports.join(', ');
      const to = `a proxy with ${rules.length} rule(s)`;
      const where = `new connections to port ${ports} to ${to}, and reset those that are open`;
      return `create nft table inet ${redirect.table}: redirect ${where}`;
    }
    case 'kafka.proxy.refresh':
      return `renew the timeout of the proxy marked ${act.token}`;
    case 'kafka.proxy.stop':
      return `end the proxy marked ${act.token} and delete nft table inet ${act.token}`;
  }
}
