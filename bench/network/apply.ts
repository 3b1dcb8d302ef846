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

/** One round of one way, in ms. */
interface Taken {
  /** Until the rules are made and read back. */
  appliedMs: number;
  /** To read them back once more: what the above is without it is the change alone. */
  lookedMs?: number;
  removedMs: number;
}

async function throughHands(hands: LinuxInNetns, rules: RuleTable): Promise<Taken> {
  const { backend, table } = rules;
  const act = { act: 'netfilter.apply', rules } as const;
  await hands.perform(act);
  const appliedMs = hands.tookMs;
  if (!(await hands.holds(act))) throw new Error(`${table} does not hold`);
  const lookedMs = hands.tookMs;
  await hands.perform({ act: 'netfilter.delete', backend, table });
  return { appliedMs, lookedMs, removedMs: hands.tookMs };
}

/** `iptables -A` for each peer and family, and `-D` to remove it. */
function oneByOne(network: TestNetwork, node: TestNode, rules: RuleTable): Taken {
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
  return { appliedMs: each('-A'), removedMs: each('-D') };
}

interface Row {
  peers: number;
  way: string;
  applyMs: number;
  leastApplyMs: number;
  /** Of applyMs, until they are in force. */
  inForceMs?: number;
  removeMs: number;
}

function rowOf(peers: number, way: string, rounds: readonly Taken[]): Row {
  const applies = rounds.map(({ appliedMs }) => appliedMs);
  const inForce = rounds.flatMap(({ appliedMs, lookedMs }) =>
    lookedMs === undefined ? [] : [appliedMs - lookedMs],
  );
  return {
    peers,
    way,
    applyMs: median(applies),
    leastApplyMs: Math.round(100 * Math.min(...applies)) / 100,
    ...(inForce.length > 0 ? { inForceMs: median(inForce) } : {}),
    removeMs: median(rounds.map(({ removedMs }) => removedMs)),
  };
}

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
      const taken = new Map<string, Taken[]>();
      const note = (way: string, round: Taken): void => {
        taken.set(way, [...(taken.get(way) ?? []), round]);
      };
      for (let round = 0; round < ROUNDS; round++) {
        note('nft', await throughHands(hands, rulesOf('nft', peers)));
        note('iptables and ipset', await throughHands(hands, rulesOf('iptables', peers)));
        if (peers > ONE_BY_ONE_MAX || (peers > 1 && round > 2)) continue;
        note('a program for every rule', oneByOne(network, node, rulesOf('iptables-plain', peers)));
      }
      for (const [way, rounds] of taken) rows.push(rowOf(peers, way, rounds));
    }
  } finally {
    await hands.close();
    network.close();
  }
  const iptables = execFileSync('iptables', ['--version'], { encoding: 'utf8' }).trim();
  return { rounds: ROUNDS, iptables, rows };
}
