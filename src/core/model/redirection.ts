import type { Problem } from '../base/problem.ts';
import type { Here, Need } from './fault.ts';

export const REDIRECT_BACKENDS = ['nft', 'iptables'] as const;
export type RedirectBackend = (typeof REDIRECT_BACKENDS)[number];

/** Rules of ours that send what is new (a connection, a query) to a process of ours on this node. */
export interface Redirection {
  backend: RedirectBackend;
  /** 'faultline-' + short hash of fault id and instance: an nft table, or an iptables chain and its set. */
  table: string;
  faultId: string;
  ports: number[];
  /** How long the kernel's elements live; the process renews them every second. */
  timeoutMs: number;
  whose: ToHere | ToResolvers;
}

/** TCP to these ports of this node, but for what carries the mark: the process's own connections. */
interface ToHere {
  mark: number;
}

/** What this node sends to these ports of these addresses, but for what this group sends. */
interface ToResolvers {
  resolvers: string[];
  group: number;
}

const needOf = (backend: RedirectBackend): Need => `redirect.${backend}`;

/** Alternatives of a kind that redirects. */
export const REDIRECT_NEEDS: Need[][] = REDIRECT_BACKENDS.map((backend) => [needOf(backend)]);

/** The first backend that runs here, or why the one that was asked for does not. */
export function chooseRedirect(
  wanted: RedirectBackend | undefined,
  here: Here,
): RedirectBackend | Problem {
  const able = REDIRECT_BACKENDS.filter((backend) => here.meets(here.node, needOf(backend)));
  const chosen = able.find((backend) => wanted === undefined || backend === wanted);
  if (chosen !== undefined) return chosen;
  return {
    path: '/backend',
    message: `node '${here.node}' can't redirect with ${wanted ?? 'either'}: it does not meet ${
      wanted === undefined ? REDIRECT_NEEDS.join(', ') : needOf(wanted)
    }`,
    expected: able.length === 0 ? 'nftables, or iptables with ipset' : able.join(', '),
  };
}

/** For a kind's `backend`. */
export function namedRedirect(wanted: RedirectBackend | undefined, here: Here): { name: string } {
  const backend = chooseRedirect(wanted, here);
  return { name: typeof backend === 'string' ? backend : 'none' };
}
