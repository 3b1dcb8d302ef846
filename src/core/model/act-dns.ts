import { nameOfTable } from './act-netfilter.ts';
import type { Answer } from './query.ts';
import type { RedirectBackend, Redirection } from './redirection.ts';

/** What a name is answered with: a wrong address, or what a broken resolver says. */
export type DnsAnswer = 'nxdomain' | 'servfail' | 'timeout' | { address: string };

/** All that a responder is told. */
export interface DnsOrders {
  backend: RedirectBackend;
  /** 'faultline-' + short hash of fault id and instance: of the rules and of the process. */
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
  /** A responder in a process of its own that outlives the agent, and the rules that redirect to it. */
  | { act: 'dns.answer'; orders: DnsOrders }
  /** Renews the responder's own timeout; a Failure 'expired' where it has ended by itself. */
  | { act: 'dns.refresh'; token: string }
  | { act: 'dns.stop'; token: string; backend: RedirectBackend };

export function describeDnsAct(act: DnsAct): string {
  switch (act.act) {
    case 'dns.answer': {
      const { backend, table, names, answer, resolvers } = act.orders;
      const what = typeof answer === 'string' ? answer : answer.address;
      const which = names.length === 0 ? 'every name' : names.join(', ');
      const from = `queries to ${resolvers.join(', ')} port 53`;
      const to = `a responder that answers ${which} with ${what}`;
      return `create ${nameOfTable(backend, table)}: redirect ${from} to ${to}`;
    }
    case 'dns.refresh':
      return `renew the timeout of the DNS responder marked ${act.token}`;
    case 'dns.stop':
      return `delete ${nameOfTable(act.backend, act.token)} and end the DNS responder marked ${act.token}`;
  }
}

/** The group that a responder runs as, so that its own queries are known. */
export const RESPONDER_GROUP = 53_053;
/** How long the redirection lasts without its responder. */
const REDIRECT_MS = 4_000;

/** What sends a node's queries to the responder. */
export function redirectionOf({ backend, table, faultId, resolvers }: DnsOrders): Redirection {
  const whose = { resolvers, group: RESPONDER_GROUP };
  return { backend, table, faultId, ports: [53], timeoutMs: REDIRECT_MS, whose };
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
