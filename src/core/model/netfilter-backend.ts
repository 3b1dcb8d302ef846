import { Type } from 'typebox';
import type { Problem } from '../base/problem.ts';
import type { NetfilterBackend } from './act-netfilter.ts';
import type { Here, Need } from './fault.ts';

/** The parameter by which a request insists on one. */
export const BackendChoice = Type.Enum(['nft', 'iptables'], {
  description: 'which packet filter makes the rules; default: nft where it works, else iptables',
});

const REQUIRED: Readonly<Record<NetfilterBackend, readonly Need[]>> = {
  nft: ['nft', 'nft.timeout'],
  iptables: ['iptables', 'ipset'],
  'iptables-plain': ['iptables'],
};

/** Alternatives of every kind that netfilter carries out, the best first. */
export const NETFILTER_NEEDS: Need[][] = Object.values(REQUIRED).map((set) => [...set]);

const GUARD_ONLY =
  'guard only: without ipset the kernel does not end these rules by itself, should agent and guard both die';

/** The best backend that runs here, or why the one that was asked for does not. */
export function chooseBackend(
  wanted: 'nft' | 'iptables' | undefined,
  here: Here,
): NetfilterBackend | Problem {
  const able = (Object.keys(REQUIRED) as NetfilterBackend[]).filter((backend) =>
    REQUIRED[backend].every((need) => here.meets(here.node, need)),
  );
  const chosen = able.find((backend) => wanted === undefined || backend.startsWith(wanted));
  if (chosen !== undefined) return chosen;
  const lacking = (Object.keys(REQUIRED) as NetfilterBackend[])
    // Without ipset iptables does: what it lacks is not ipset.
    .filter(
      (backend) => backend === (wanted === 'iptables' ? 'iptables-plain' : (wanted ?? backend)),
    )
    .flatMap((backend) => REQUIRED[backend].filter((need) => !here.meets(here.node, need)));
  const needs = [...new Set(lacking)].join(', ');
  return {
    path: '/backend',
    message: `node '${here.node}' can't do it with ${wanted ?? 'netfilter'}: it does not meet ${needs}`,
    expected: able.length === 0 ? 'nftables or iptables' : `${able.join(', ')}, or no 'backend'`,
  };
}

/** For a kind's `backend`. */
export function namedBackend(
  wanted: 'nft' | 'iptables' | undefined,
  here: Here,
): { name: string; note?: string } {
  const backend = chooseBackend(wanted, here);
  if (typeof backend !== 'string') return { name: 'none' };
  if (backend !== 'iptables-plain') return { name: backend };
  return { name: 'iptables', note: GUARD_ONLY };
}
