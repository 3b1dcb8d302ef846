import { execFileSync } from 'node:child_process';
import {
  EVERY_PACKET,
  type NetfilterBackend,
  type RuleTable,
} from '../../src/core/model/act-netfilter.ts';
import { LinuxInNetns } from '../../test/support/linux-in-netns.ts';
import { TestNetwork, type TestNode } from '../../test/support/netns.ts';

const PEERS = [1, 100, 1_000] as const;
const ROUNDS = 9;
/** One rule after the other, each by a program of its own, is how tools usually do it. */
const ONE_BY_ONE_MAX = 100;

const TABLE = 'faultline-bench1';

function rulesOf(backend: NetfilterBackend, count: number): RuleTable {
  const at = (index: number): string => `${(index >> 8) + 1}.${index & 255}`;
  const hex = (index: number): string => (index + 1).toString(16);
  return {
    backend,
    table: TABLE,
    faultId: 'bench',
    peers: Array.from({ length: count }, (_, index) => ({
      name: `n${index}`,
      ipv4: [`10.77.${at(index)}`],
      ipv6: [`fd00:77::${hex(index)}`],
    })),
    control: { coordinatorAddresses: [], agentPort: 7711 },
    protocol: 'all',
    how: 'drop',
    perMillion: EVERY_PACKET,
    timeoutMs: 60_000,
  };
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 100) / 100;
};

/** Applies and removes once. @returns ms of both, with what was made read back. */
async function throughHands(hands: LinuxInNetns, rules: RuleTable): Promise<[number, number]> {
  const { backend, table } = rules;
  await hands.perform({ act: 'netfilter.apply', rules });
  const appliedMs = hands.tookMs;
  await hands.perform({ act: 'netfilter.delete', backend, table });
  return [appliedMs, hands.tookMs];
}

/** `iptables -A` for each peer and family, and `-D` to remove it. */
function oneByOne(network: TestNetwork, node: TestNode, rules: RuleTable): [number, number] {
  const each = (verb: '-A' | '-D'): number => {
    const beganMs = performance.now();
    for (const { ipv4, ipv6 } of rules.peers) {
      for (const address of [...ipv4, ...ipv6]) {
        const program = address.includes(':') ? 'ip6tables' : 'iptables';
        network.run(node, [program, verb, 'INPUT', '-s', address, '-j', 'DROP']);
      }
    }
    return performance.now() - beganMs;
  };
  return [each('-A'), each('-D')];
}

type Row = Record<'peers' | 'applyMs' | 'leastApplyMs' | 'removeMs', number> & { way: string };

/**
 * How long rules for so many peers (one IPv4 and one IPv6 address each) take until they are read back,
 * and to be removed: nftables, iptables with ipset, and a program for every rule. Medians, the ways
 * in turn within each round.
 */
export async function benchApply(): Promise<object> {
  const network = new TestNetwork('flbapp', 1, 43);
  const [node] = network.nodes;
  if (!node) throw new Error('no node');
  const hands = new LinuxInNetns(network, node);
  const rows: Row[] = [];
  try {
    for (const peers of PEERS) {
      const taken = new Map<string, [number, number][]>();
      const note = (way: string, pair: [number, number]): void => {
        taken.set(way, [...(taken.get(way) ?? []), pair]);
      };
      for (let round = 0; round < ROUNDS; round++) {
        note('nft', await throughHands(hands, rulesOf('nft', peers)));
        note('iptables and ipset', await throughHands(hands, rulesOf('iptables', peers)));
        if (peers > ONE_BY_ONE_MAX || (peers > 1 && round > 2)) continue;
        note('a program for every rule', oneByOne(network, node, rulesOf('iptables-plain', peers)));
      }
      for (const [way, pairs] of taken) {
        const applies = pairs.map(([ms]) => ms);
        const leastApplyMs = Math.round(100 * Math.min(...applies)) / 100;
        const removeMs = median(pairs.map(([, ms]) => ms));
        rows.push({ peers, way, applyMs: median(applies), leastApplyMs, removeMs });
      }
    }
  } finally {
    await hands.close();
    network.close();
  }
  const iptables = execFileSync('iptables', ['--version'], { encoding: 'utf8' }).trim();
  return { rounds: ROUNDS, iptables, rows };
}
