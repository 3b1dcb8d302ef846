import { unreachable } from '../base/assert.ts';
import { describeProblem } from '../base/problem.ts';
import { fnv1a64, shortHash } from '../base/hash.ts';
import { Random } from '../base/random.ts';
import { kindNamed } from '../faults/registry.ts';
import { describeAct } from '../model/act.ts';
import type { FaultKind, Facts, Here, Need, Step } from '../model/fault.ts';
import { NO_PACKETS } from '../model/query-packets.ts';
import { NO_PROXY } from '../model/query-proxy.ts';
import type { Answer, Query } from '../model/query.ts';
import type { ScheduledFault } from '../model/scenario.ts';
import type { NodeName, Topology } from '../model/topology.ts';
import { rulesOf } from './explain-rules.ts';
import { readTargets, resolveSelector } from './selectors.ts';

/** What one node would do for a fault. */
export interface ExplainedNode {
  node: NodeName;
  steps: {
    says: string;
    does: string;
    undo: string;
    afterMs?: number;
    rules?: string;
    undoRules?: string;
  }[];
  /** Why nothing can be planned for this node. */
  problems: string[];
}

/** A fault of a schedule, with everything it would do. */
export interface ExplainedFault {
  fault: ScheduledFault;
  summary: string;
  /** Alternatives; any one set suffices. */
  needs: Need[][];
  /** Nodes that may be harmed; absent where only the live cluster knows whom the selector names. */
  blastRadius?: NodeName[];
  /** The plan is that of a node which only stands for those the selector will name. */
  standIn: boolean;
  nodes: ExplainedNode[];
}

/** A process as `explain` imagines it where nobody has looked. */
const IMAGINED = { bootId: 'example', pidNamespace: 4026531836, pid: 4242, birthTicks: 100 };
const AGENT_PORT = 7711;

/** What a node would probably answer: one broker, which can be started again. */
function imagined(query: Query): Answer {
  switch (query.query) {
    case 'processes':
      return {
        query: 'processes',
        processes: [{ process: IMAGINED, commandLine: 'java kafka.Kafka', state: 'S' }],
      };
    case 'processStates':
      return { query: 'processStates', states: query.processes.map(() => 'S') };
    case 'service':
      return { query: 'service', known: true, startable: true, running: [IMAGINED] };
    case 'proxyCounts':
      return NO_PROXY;
    case 'egress': {
      const devices = Object.fromEntries(query.addresses.map((address) => [address, 'eth0']));
      return { query: 'egress', devices, foreign: {}, shapers: [] };
    }
    case 'steeredPackets':
      return NO_PACKETS;
    case 'packetCounters':
      return { query: 'packetCounters', packets: {} };
    case 'resolvers':
      return { query: 'resolvers', addresses: ['192.0.2.53'] };
    case 'destroyedSockets':
      return { query: 'destroyedSockets', count: 0 };
    case 'cpuCount':
      return { query: 'cpuCount', count: 2 };
    case 'burnerCpuMs':
      return { query: 'burnerCpuMs', cpuMs: 0, running: 0 };
    case 'diskMounts': {
      const mountPoint = query.directory ?? '/var/lib/kafka/data';
      const mount = { mountPoint, target: mountPoint, alive: true, tracking: true };
      return { query: 'diskMounts', mounts: [mount] };
    }
    case 'diskFault':
      return { query: 'diskFault', inForce: false, matched: 0, hits: 0 };
    case 'diskPowerCut':
      return { query: 'diskPowerCut', mounts: 0, files: 0, bytes: 0, names: 0 };
    case 'diskSpace': {
      const space = { device: 'example', totalBytes: 1e12, availableBytes: 5e11 };
      return { query: 'diskSpace', space: { ...space, ownState: false, ours: false } };
    }
    case 'diskFile': {
      const name = '00000000000000000000.log';
      const segment = `${query.segment?.directory ?? ''}/${query.segment?.topicPartition ?? ''}`;
      const windows = query.draws.map((_, index) => {
        return { at: 1000 * (index + 1), offset: 1000 * (index + 1), was: '00' };
      });
      const path = query.path ?? `${segment}/${name}`;
      return { query: 'diskFile', file: { path, inode: 4242, bytes: 1e6, windows } };
    }
    case 'diskBytes':
      return { query: 'diskBytes', same: true };
    default:
      return unreachable(query);
  }
}

function explainStep({ says, act, undo, afterMs }: Step): ExplainedNode['steps'][number] {
  const irreversible = 'irreversible' in undo;
  const step: ExplainedNode['steps'][number] = {
    says,
    does: describeAct(act),
    undo: irreversible ? `none: ${undo.irreversible}` : describeAct(undo),
  };
  const rules = rulesOf(act);
  const undoRules = irreversible ? undefined : rulesOf(undo, act);
  if (rules !== undefined) step.rules = rules;
  if (undoRules !== undefined) step.undoRules = undoRules;
  if (afterMs !== undefined) step.afterMs = afterMs;
  return step;
}

function explainNode(
  kind: FaultKind,
  fault: ScheduledFault,
  topology: Topology,
  targets: NodeName[],
  node: NodeName,
): ExplainedNode {
  const here: Here = {
    faultId: fault.id,
    instance: 1,
    token: `faultline-${shortHash(`${fault.id}#1`)}`,
    node,
    topology,
    targets,
    meets: () => true,
    control: { coordinatorAddresses: ['192.0.2.1'], agentPort: AGENT_PORT },
    random: new Random(fnv1a64(`${fault.id}#1 ${node}`)),
  };
  if (fault.durationMs !== undefined) here.durationMs = fault.durationMs;
  const facts: Facts = kind.observe(fault.params, here).map(imagined);
  const plan = kind.plan(fault.params, here, facts);
  const steps: ExplainedNode['steps'] = [];
  const problems: string[] = [];
  for (const part of plan) {
    if ('act' in part) steps.push(explainStep(part));
    else problems.push(describeProblem(part));
  }
  return { node, steps, problems };
}

/** Nodes for a selector; a stand-in where only the live cluster knows. */
function selectedNodes(
  fault: ScheduledFault,
  topology: Topology,
): { names: NodeName[]; standIn: boolean } {
  if (fault.targets === undefined) return { names: [], standIn: false };
  const selector = readTargets(fault.targets);
  const random = new Random(fnv1a64(`${fault.id}#1`));
  const resolved = selector.ok ? resolveSelector(selector.value, { topology }, random) : selector;
  if (resolved.ok) return { names: resolved.value, standIn: false };
  const broker = topology.nodes.find(({ roles }) => roles.includes('broker')) ?? topology.nodes[0];
  return { names: broker ? [broker.name] : [], standIn: true };
}

/**
 * What a fault would do on every acting node, planned by its kind as an agent would plan it, with
 * imagined answers where an agent would look (pids, CPU counts). Pure: nothing is asked or touched.
 */
export function explainFault(
  fault: ScheduledFault,
  topology: Topology,
): ExplainedFault | undefined {
  const kind = kindNamed(fault.kind);
  if (kind === undefined) return undefined;
  const { names, standIn } = selectedNodes(fault, topology);
  const actors = kind.actors(fault.params, topology, names, () => true);
  const explained: ExplainedFault = {
    fault,
    summary: kind.summary,
    needs: kind.needs,
    standIn,
    nodes: actors.map((node) => explainNode(kind, fault, topology, names, node)),
  };
  if (!standIn) explained.blastRadius = kind.targets(fault.params, topology, names);
  return explained;
}
