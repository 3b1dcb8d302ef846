import { nameOfTable } from './act-netfilter.ts';
import type { ProxyRule } from './proxy-rule.ts';
import type { RedirectBackend, Redirection } from './redirection.ts';

/** Certificate and key, PEM files on the node: the proxy then ends TLS, and begins it anew. */
export interface ProxyTls {
  certificate: string;
  key: string;
}

/** All that a proxy in a node is told. */
export interface ProxyOrders {
  redirect: Redirection & { whose: { mark: number } };
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
  | { act: 'kafka.proxy.stop'; token: string; backend: RedirectBackend };

export function describeProxyAct(act: ProxyAct): string {
  switch (act.act) {
    case 'kafka.proxy': {
      const { redirect, rules } = act.orders;
      const ports = redirect.ports.join(', ');
      const to = `a proxy with ${rules.length} rule(s)`;
      const where = `new connections to port ${ports} to ${to}, and reset those that are open`;
      return `create ${nameOfTable(redirect.backend, redirect.table)}: redirect ${where}`;
    }
    case 'kafka.proxy.refresh':
      return `renew the timeout of the proxy marked ${act.token}`;
    case 'kafka.proxy.stop':
      return `end the proxy marked ${act.token} and delete ${nameOfTable(act.backend, act.token)}`;
  }
}
