import { fnv1a64 } from '../../src/core/base/hash.ts';
import { Random } from '../../src/core/base/random.ts';
import type { FaultRequest } from '../../src/core/model/fault-request.ts';

export const NODES = ['n1', 'n2'] as const;
export type StormNodeName = (typeof NODES)[number];

/** One thing done to a daemon, at an instant after the faults were asked for. */
export interface Blow {
  atMs: number;
  /** 'both': the agent stopped, its guard killed, the agent killed, so that nobody is left to heal. */
  whom: 'agent' | 'guard' | 'both' | 'coordinator';
  node?: StormNodeName;
  what: 'SIGKILL' | 'SIGSTOP' | 'start';
}

/** 'few': network partitions are the only faults of the network. */
export type Drawn = 'few' | 'all';

export interface RoundPlan {
  faults: FaultRequest[];
  blows: Blow[];
  leaseMs: number;
  /** Agent and guard of both nodes die and nobody starts them until the kernel has let go. */
  isExpiry: boolean;
}

/** What every victim has among its arguments, and nothing else on its node. */
export const VICTIM_SECONDS = '86413.5';

const BLOW_WINDOW_MS = 1_500;

const IPTABLES = { backend: 'iptables' };
const FLAPPING = { flap: { on: ['200ms', '400ms'], off: ['100ms', '300ms'] } };

/** Each with what it needs to stand: a process of its own, a table, or both. */
const NETWORK: readonly Pick<FaultRequest, 'kind' | 'params'>[] = [
  { kind: 'network.corrupt', params: { ratio: '5%' } },
  { kind: 'network.delay', params: { latency: '40ms', jitter: '10ms' } },
  { kind: 'network.duplicate', params: { ratio: '10%' } },
  { kind: 'network.loss', params: { ratio: '10%' } },
  { kind: 'network.loss', params: { ratio: '10%', backend: 'iptables' } },
  { kind: 'network.rate', params: { rate: '2mbit' } },
  { kind: 'network.reorder', params: { ratio: '10%' } },
  { kind: 'network.reset', params: { ports: [9092] } },
  { kind: 'network.dns', params: { answer: 'nxdomain' } },
  { kind: 'network.dns', params: { answer: 'timeout', ...IPTABLES } },
  {
    kind: 'kafka.request',
    params: { ports: [9092], rules: [{ apiKey: 'Produce', disconnect: 'after' }] },
  },
  {
    kind: 'kafka.request',
    params: { ports: [9092], rules: [{ apiKey: 'Fetch', delayAfter: '1s' }], ...IPTABLES },
  },
];

function faultsOf(random: Random, prefix: string, leaseMs: number, draw: Drawn): FaultRequest[] {
  const lease = `${leaseMs}ms`;
  const override = {
    limits: ['nodes' as const, 'roleShare' as const],
    reason: 'the storm spares nobody',
  };
  // The expiry that is to be seen is that of a cut which has no pauses of its own.
  const variant = random
    .fork('cut')
    .pick(leaseMs > 60_000 ? [{}, IPTABLES] : [{}, IPTABLES, { how: 'reset' }, FLAPPING]);
  const cut: FaultRequest = {
    id: `${prefix}-cut`,
    kind: 'network.partition',
    params: { groups: [['n1'], ['n2']], ...variant },
    lease,
    override,
  };
  const faults = [cut];
  for (const node of NODES) {
    const process = { service: 'victim' };
    const options: FaultRequest[] = [
      { id: `${prefix}-pause-${node}`, kind: 'process.pause', params: { process } },
      {
        id: `${prefix}-stall-${node}`,
        kind: 'process.pause',
        params: { process, duty: { on: '200ms', off: '100ms' } },
      },
      {
        id: `${prefix}-kill-${node}`,
        kind: 'process.kill',
        params: { process, restart: 'heal' },
        duration: '30s',
      },
    ];
    faults.push({ ...random.pick(options), targets: [node], lease, override });
    const load = { workers: 1, share: '10%' };
    const light: FaultRequest[] = [
      { id: `${prefix}-load-${node}`, kind: 'cpu.load', params: load },
      { id: `${prefix}-noop-${node}`, kind: 'noop' },
    ];
    faults.push({ ...random.pick(light), targets: [node], lease, override });
    if (draw !== 'all') continue;
    const traffic = random.fork(`network ${node}`).pick(NETWORK);
    const id = `${prefix}-${traffic.kind.replace('.', '-')}-${node}`;
    faults.push({ id, ...traffic, targets: [node], lease, override });
  }
  return random.sample(faults, random.between(2, 4));
}

function blowsOf(random: Random): Blow[] {
  const blows: Blow[] = [];
  for (let count = random.between(1, 4); count > 0; count--) {
    const atMs = random.below(BLOW_WINDOW_MS);
    const node = random.pick(NODES);
    const whom = random.pick(['agent', 'agent', 'guard', 'both', 'coordinator'] as const);
    const what = random.pick(['SIGKILL', 'SIGKILL', 'SIGSTOP'] as const);
    if (whom === 'coordinator') blows.push({ atMs, whom, what });
    else blows.push({ atMs, whom, node, what });
    // Sometimes somebody starts it again in the middle.
    if (what === 'SIGKILL' && whom !== 'guard' && random.chance({ numerator: 1, denominator: 3 })) {
      const at = atMs + random.below(600);
      if (whom === 'coordinator') blows.push({ atMs: at, whom, what: 'start' });
      else blows.push({ atMs: at, whom: 'agent', node, what: 'start' });
    }
  }
  return blows.sort((left, right) => left.atMs - right.atMs);
}

/** What a round does: of its seed and number alone. */
export function planRound(seed: string, round: number, isExpiry: boolean, draw: Drawn): RoundPlan {
  const random = new Random(fnv1a64(`kill-storm ${seed} ${round}`));
  const leaseMs = random.pick([2_000, 2_500, 3_000]);
  const prefix = `r${round}`;
  const faults = faultsOf(random.fork('faults'), prefix, leaseMs, draw);
  if (!isExpiry) return { faults, blows: blowsOf(random.fork('blows')), leaseMs, isExpiry };
  // Longer than the kernel's own timeout: it is the timeout that is to be seen.
  const long = faultsOf(random.fork('expiry'), prefix, 120_000, draw);
  const cut = long.find((fault) => fault.kind === 'network.partition');
  const all = cut ? long : [...long, ...faultsWithCut(random, prefix)];
  const blows = NODES.map((node): Blow => ({
    atMs: 1_200 + random.below(BLOW_WINDOW_MS),
    whom: 'both',
    node,
    what: 'SIGKILL',
  }));
  return { faults: all, blows, leaseMs: 120_000, isExpiry };
}

function faultsWithCut(random: Random, prefix: string): FaultRequest[] {
  for (;;) {
    const cut = faultsOf(random, prefix, 120_000, 'few').find(
      ({ kind }) => kind === 'network.partition',
    );
    if (cut) return [cut];
  }
}
