import { Random } from '../../src/core/base/random.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import type { FaultStatus, NodeStatus } from '../../src/core/model/fault-status.ts';
import type { RunStatus, TimelineEntry } from '../../src/core/model/run.ts';
import type { Verdict } from '../../src/core/model/verdict.ts';
import type { SeriesEntry } from '../../src/core/model/series.ts';
import type { ReportInput } from '../../src/host/report.ts';
import { fixtureVerdict, TOPIC_PARTITIONS, type FixtureFault } from './report-verdict.ts';

export const ORIGIN_MS = Date.parse('2026-03-01T10:00:00.000Z');

function iso(atMs: number): string {
  return new Date(ORIGIN_MS + atMs).toISOString();
}

/** Faults every ten seconds or so between 8 s and the end of the load. */
function drawFaults(random: Random, loadMs: number): FixtureFault[] {
  const kinds = ['network.partition', 'process.kill', 'process.pause', 'cpu.load', 'noop'];
  const faults: FixtureFault[] = [];
  for (let atMs = 8_000; atMs < loadMs - 9_000; atMs += random.between(5_000, 12_000)) {
    const kind = random.pick(kinds);
    const number = faults.length + 1;
    const fault: FixtureFault = {
      id: `f${number}-${kind.replace('.', '-')}`,
      atMs,
      kind,
      params: {},
      targetNodes: random.sample(['n1', 'n2', 'n3'], random.between(1, 2)),
      effect: random.pick(['seen', 'seen', 'seen', 'untestable'] as const),
      endedBy: 'deadline',
    };
    if (kind !== 'process.kill') fault.durationMs = random.between(3_000, 14_000);
    else fault.endedBy = 'request';
    if (number === 3) fault.endedBy = 'guard';
    if (number === 5) fault.effect = 'unseen';
    if (number === 6) fault.refused = true;
    faults.push(fault);
  }
  return faults;
}

function faultEntries(fault: FixtureFault): TimelineEntry[] {
  const { id, kind, targetNodes: targets, effect, endedBy } = fault;
  const entry = (atMs: number, state: string, more = {}): TimelineEntry => {
    return {
      at: ORIGIN_MS + atMs,
      entry: 'fault',
      id,
      kind,
      state,
      targets,
      effect: 'pending',
      ...more,
    };
  };
  if (fault.refused) return [entry(fault.atMs, 'refused')];
  const endMs = fault.atMs + (fault.durationMs ?? 40);
  return [
    entry(fault.atMs - 300, 'arming'),
    entry(fault.atMs - 200, 'armed'),
    entry(fault.atMs, 'active'),
    entry(fault.atMs + 20, 'active', { effect }),
    entry(endMs, 'healing', { effect, endedBy }),
    entry(endMs + 300, 'healed', { effect, endedBy }),
  ];
}

function faultStatus(fault: FixtureFault): FaultStatus {
  const { id, kind, params, effect, endedBy, targetNodes: targets } = fault;
  const state = fault.refused ? ('refused' as const) : ('healed' as const);
  const receipt = {
    effect,
    says: effect === 'untestable' ? 'nothing listens there' : 'packets dropped by the rule',
    before: { query: 'packetCounters' as const, packets: {} },
    during: { query: 'packetCounters' as const, packets: { n2: 31 } },
    actMs: 4.2,
    healMs: 6.1,
    notes: [],
  };
  const node = {
    state,
    receipt,
    plan: [
      {
        says: 'create nft table inet faultline-ab12',
        undo: 'delete nft table inet faultline-ab12',
      },
    ],
    problems: [],
    openUndos: [],
  };
  const status: FaultStatus = {
    id,
    kind,
    request: { id, kind, targets, params },
    state,
    effect,
    instance: 1,
    earlier: [],
    run: 'fixture',
    owner: 'fixture-owner',
    selector: { expression: 'random(1) of role(broker)', atArming: targets, atFiring: targets },
    targets,
    actors: targets,
    createdAt: iso(fault.atMs - 500),
    nodes: Object.fromEntries(targets.map((name) => [name, node])),
    problems: [],
  };
  if (fault.refused) return status;
  if (endedBy !== undefined) status.endedBy = endedBy;
  return { ...status, firedAt: iso(fault.atMs), endedAt: iso(fault.atMs + 5_000), skewMs: 1.7 };
}

/** How hard the cluster is hit at an instant: 0 none, 1 hard. */
function harm(faults: readonly FixtureFault[], atMs: number): number {
  const near = faults.some(
    (fault) =>
      !fault.refused &&
      fault.kind !== 'noop' &&
      atMs >= fault.atMs &&
      atMs <= fault.atMs + Math.min(fault.durationMs ?? 4_000, 4_000),
  );
  return near ? 1 : 0;
}

function drawSeries(
  random: Random,
  faults: readonly FixtureFault[],
  loadMs: number,
): SeriesEntry[] {
  const series: SeriesEntry[] = [];
  for (let atMs = 1_000; atMs <= loadMs; atMs += 1_000) {
    const hit = harm(faults, atMs) === 1;
    const offered = 20_000;
    const acknowledged = hit ? random.between(0, 9_000) : random.between(19_500, 20_500);
    const p50 = hit ? random.between(40, 900) : random.between(3, 6);
    series.push({
      timeNs: 5e12 + atMs * 1e6,
      wallMs: ORIGIN_MS + atMs,
      offered,
      acknowledged,
      failed: hit ? random.between(0, 300) : 0,
      unknown: hit ? random.between(0, 700) : 0,
      read: hit ? random.between(0, 9_000) : random.between(19_000, 21_000),
      errors: hit ? random.between(1, 40) : 0,
      latencyMs: { p50, p95: p50 * 3, p99: p50 * 5, max: p50 * 9 },
    });
  }
  return series;
}

function drawCluster(
  random: Random,
  faults: readonly FixtureFault[],
  endMs: number,
): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  let leaders = Array.from({ length: TOPIC_PARTITIONS }, (_, index) => 1 + (index % 3));
  let activeController = 1;
  for (let atMs = 0; atMs <= endMs; atMs += 1_000) {
    const hit = harm(faults, atMs) === 1;
    if (hit && random.chance({ numerator: 1, denominator: 3 })) {
      leaders = leaders.map((leader) => (random.below(4) === 0 ? random.between(1, 3) : leader));
    }
    if (hit && random.below(8) === 0) activeController = random.between(1, 3);
    const isr = leaders.map((leader) => (hit ? [leader] : [1, 2, 3]));
    const shown = leaders.map((leader) => (hit && random.below(9) === 0 ? -1 : leader));
    entries.push({ at: ORIGIN_MS + atMs, entry: 'cluster', activeController, leaders: shown, isr });
  }
  return entries;
}

function fixtureNodes(): NodeStatus[] {
  return EXAMPLE_TOPOLOGY.nodes
    .filter((node) => ['n1', 'n2', 'n3', 'client1'].includes(node.name))
    .map((node) => ({
      name: node.name,
      roles: [...node.roles],
      addresses: node.addresses,
      agent: node.agent ?? null,
      link: node.name === 'n3' ? ('unreachable' as const) : ('linked' as const),
      clock: { offsetMs: 0.31, uncertaintyMs: 0.08 },
      version: '0.1.0',
      capabilities: [{ need: 'nft', met: node.name !== 'client1', why: 'nft 1.0.6' }],
      faults: [],
    }));
}

/**
 * A run as it might have been: two minutes (or `loadMs`) with faults, outages where faults bite,
 * lost writes. The same seed makes the same one.
 */
export function reportFixture(seed = 42, loadMs = 90_000): ReportInput & { verdict: Verdict } {
  const random = new Random(seed);
  const faults = drawFaults(random.fork('faults'), loadMs);
  const series = drawSeries(random.fork('series'), faults, loadMs);
  const endMs = loadMs + 15_000;
  const verdict = fixtureVerdict(faults, series);
  const schedule = {
    version: '0.1.0',
    scenario: 'fixture',
    seed: String(seed),
    durationMs: loadMs,
    kinds: ['network.partition', 'process.kill'],
    faults: faults.map(({ id, atMs, kind, params }) => ({ id, atMs, kind, params })),
  };
  const run: RunStatus = {
    id: 'fixture',
    scenario: { faultline: 1, name: 'fixture', description: 'Made by code.', duration: '90s' },
    seed: String(seed),
    schedule,
    phase: 'done',
    outcome: 'finished',
    startedAt: iso(0),
    endedAt: iso(endMs),
    phases: [
      { phase: 'starting', at: iso(0) },
      { phase: 'steadyState', at: iso(2_000) },
      { phase: 'faults', at: iso(7_000) },
      { phase: 'healing', at: iso(loadMs) },
      { phase: 'recovery', at: iso(loadMs + 1_500) },
      { phase: 'finalRead', at: iso(loadMs + 8_000) },
      { phase: 'checking', at: iso(loadMs + 13_000) },
      { phase: 'done', at: iso(endMs) },
    ],
    faults: faults.map(({ id }) => id),
    skipped: [{ id: 'f99-noop', kind: 'noop', atMs: 12_000, reason: 'the quorum would be lost' }],
    recovery: { recovered: true, afterMs: 740, says: 'every ISR is whole again' },
  };
  const timeline = [
    ...faults.flatMap(faultEntries),
    ...drawCluster(random.fork('cluster'), faults, endMs),
  ].sort((a, b) => a.at - b.at);
  return {
    run,
    timeline,
    series,
    verdict,
    nodes: fixtureNodes(),
    faults: faults.map(faultStatus),
    repro: `./run demo --seed ${seed} --unsafe acks=1`,
    generatedAt: iso(endMs + 1_000),
  };
}
