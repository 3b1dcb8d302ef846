import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import type { ClusterSnapshot, Topology } from '../../src/core/model/topology.ts';
import { hasEnded } from '../../src/core/model/lifecycle.ts';
import { Chaos } from './chaos.ts';
import { Client } from './client.ts';
import { CoordinatorView } from './coordinator-view.ts';
import { SimCoordinator } from './coordinator.ts';
import { Invariants } from './invariants.ts';
import { CORRECT, type Subject } from './mutations.ts';
import { SimNode } from './node.ts';
import { World } from './world.ts';

/** Trouble lasts this long, and everything must be over this long after it. */
const TROUBLE_MS = 15_000;
/** In one of so many seeds long enough for what the kernel keeps the time of. */
const LONG_TROUBLE_MS = 90_000;
const LONG_OF = 25;
const SETTLE_MAX_MS = 180_000;

export interface Outcome {
  seed: number;
  /** What was broken, if anything was. */
  violation: string | undefined;
  log: readonly string[];
  events: number;
  endings: ReadonlyMap<string, number>;
}

/** One cluster, one seed: a life in virtual time. */
export async function simulate(seed: number, subject: Subject = CORRECT): Promise<Outcome> {
  const world = new World(seed);
  const invariants = new Invariants(world);
  let violation: string | undefined;
  try {
    await live(world, invariants, subject);
  } catch (error) {
    violation = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
  }
  const { log, events } = world;
  return { seed, violation, log, events, endings: invariants.endings };
}

async function live(world: World, invariants: Invariants, subject: Subject): Promise<void> {
  const count = world.random.between(3, 5);
  const topology: Topology = {
    name: EXAMPLE_TOPOLOGY.name,
    nodes: EXAMPLE_TOPOLOGY.nodes.slice(0, count),
  };
  const nodes = topology.nodes.map(
    ({ name }) => new SimNode(world, name, { topology, subject, invariants }),
  );
  const view = new CoordinatorView(invariants);
  const snapshot = snapshots(world, count);
  const around = { world, topology, nodes, subject, view, snapshot };
  const owners = world.random.below(4) === 0 ? ['one', 'two'] : ['one'];
  const coordinators = owners.map((owner) => new SimCoordinator(around, owner));
  world.onEvent = () => invariants.check(nodes);
  for (const node of nodes) node.startAgent();
  await world.runUntil(world.nowMs + world.drawMs(0, 1_000));
  for (const coordinator of coordinators) coordinator.start();
  const clients = coordinators.map(
    (each) => new Client(world, each, nodes, () => invariants.haltedOwners.add(each.owner)),
  );
  const chaos = new Chaos(world, nodes, coordinators);
  const isLong = world.random.below(LONG_OF) === 0;
  const untilMs = world.nowMs + (isLong ? LONG_TROUBLE_MS : TROUBLE_MS);
  for (const client of clients) client.start(untilMs);
  chaos.start(untilMs);
  await world.runUntil(untilMs);
  world.say('the trouble is over');
  chaos.end();
  await settle(world, nodes, coordinators, clients);
  for (const node of nodes) invariants.checkBaseline(node);
  for (const [index, coordinator] of coordinators.entries())
    view.checkEnd(coordinator, nodes, clients[index]?.acknowledged ?? []);
}

/** Everybody is back; whatever would not end by itself is healed; then it is quiet. */
async function settle(
  world: World,
  nodes: readonly SimNode[],
  coordinators: readonly SimCoordinator[],
  clients: readonly Client[],
): Promise<void> {
  await world.runUntil(world.nowMs + 5_000);
  for (const [index, coordinator] of coordinators.entries()) {
    for (const { id, request } of coordinator.state.faults.values())
      if (request.every !== undefined || request.duration === undefined) clients[index]?.heal(id);
  }
  const untilMs = world.nowMs + SETTLE_MAX_MS;
  const isQuiet = (): boolean =>
    coordinators.every((each) => each.state.faults.size === 0) &&
    nodes.every((node) =>
      node.statuses().every(({ owner, state }) => owner === 'local' && hasEnded(state)),
    );
  while (!isQuiet() && world.nowMs < untilMs) await world.runUntil(world.nowMs + 1_000);
  await world.runUntil(world.nowMs + 1_000);
}

/** A leader that moves now and then. */
function snapshots(world: World, count: number): () => ClusterSnapshot {
  const random = world.random.fork('leader');
  let leader = 1;
  return () => {
    if (random.below(6) === 0) leader = random.between(1, count);
    const replicas = Array.from({ length: count }, (_, index) => index + 1);
    return {
      takenAtMs: 0,
      brokers: [],
      topicPartitions: [
        { topic: 'orders', partition: 0, leader, leaderEpoch: 0, replicas, isr: replicas },
      ],
      activeController: 1,
      voters: replicas,
    };
  };
}
