import type { Answer } from './query.ts';

/** What a name is answered with: a wrong address, or what a broken resolver says. */
export type DnsAnswer = 'nxdomain' | 'servfail' | 'timeout' | { address: string };

/** All that a responder is told. */
export interface DnsOrders {
  /** 'faultline-' + short hash of fault id and instance: of the table and of the process. */
  table: string;
  faultId: string;
  /** Exact names, or '*.example' for all below; empty: every name. */
  names: string[];
  answer: DnsAnswer;
  /** The node's resolvers: what is sent to these is redirected, and forwarded to them. */
  resolvers: string[];
  /** It ends by itself when nobody has asked for it for so long. */
  timeoutMs: number;
}

export type DnsAct =
  /** A responder in a process of its own that outlives the agent, and the table that redirects to it. */
  | { act: 'dns.answer'; orders: DnsOrders }
  /** Renews the responder's own timeout; a Failure 'expired' where it has ended by itself. */
  | { act: 'dns.refresh'; token: string }
  | { act: 'dns.stop'; token: string };

export function describeDnsAct(act: DnsAct): string {
  switch (act.act) {
    case 'dns.answer': {
      const { table, names, answer, resolvers } = act.orders;
      const what = typeof answer === 'string' ? answer : answer.address;
      const which = names.length === 0 ? 'every name' : names.join(', ');
      const from = `queries to ${resolvers.join(', ')} port 53`;
      const to = `a responder that answers ${which} with ${what}`;
      return `create nft table inet ${table}: redirect ${from} to ${to}`;
    }
    case 'dns.refresh':
      return `renew the timeout of the DNS responder marked ${act.token}`;
    case 'dns.stop':
      return `delete nft table inet ${act.token} and end the DNS responder marked ${act.token}`;
  }
}

/** The nameservers of /etc/resolv.conf. */
export interface ResolversQuery {
  query: 'resolvers';
}

export interface ResolversAnswer {
  query: 'resolvers';
  addresses: string[];
}

export function resolversIn(facts: readonly Answer[]): string[] {
  const [fact] = facts;
  return fact?.query === 'resolvers' ? fact.addresses : [];
}
