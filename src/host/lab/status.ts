import { readdirSync } from 'node:fs';
import { Failure } from '../../core/base/failure.ts';
import { describeLab, type LabDescription } from './describe.ts';
import { viewOf, type BrokerView } from './health.ts';
import { CLIENT_PORT, isBroker, isServer } from './kafka-files.ts';
import { answers } from './daemons.ts';
import { initPidOf, stateOf } from './node-namespace.ts';
import { labsDirectory, placeOf, type LabPlace } from './place.ts';
import { readRecord, type LabNode, type LabRecord } from './record.ts';

export interface NodeHealth {
  init: boolean;
  /** 'running 12', 'ended 137', '' where it was never started (as its node numbers pids). */
  broker: string;
  /** Its file system: '' where it has none. */
  disk: string;
  agent: string;
  agentAnswers: boolean;
  /** As the cluster sees it: registered and not fenced. null: not a broker, or nobody answers. */
  registered: boolean | null;
  leader: boolean | null;
}

export type LabStatus = Omit<LabDescription, 'nodes'> & {
  state: LabRecord['state'];
  nodes: (LabDescription['nodes'][number] & { health: NodeHealth })[];
};

async function firstView(nodes: readonly LabNode[]): Promise<BrokerView | undefined> {
  for (const node of nodes.filter(isBroker)) {
    try {
      return await viewOf(node.address, CLIENT_PORT, 1000);
    } catch {
      // Dead, paused or cut off: the next one may answer.
    }
  }
  return undefined;
}

async function healthOf(
  place: LabPlace,
  node: LabNode,
  view: BrokerView | undefined,
): Promise<NodeHealth> {
  const alive = initPidOf(place, node.name) !== undefined;
  // What a dead init last wrote is not true any more.
  const state = (service: string): string => {
    const said = stateOf(place, node.name, service);
    return alive || said === '' ? said : 'gone with its node';
  };
  const known = view !== undefined;
  return {
    init: alive,
    broker: state('broker'),
    disk: state('disk'),
    agent: state('agent'),
    agentAnswers: node.agent !== null && (await answers(`${node.agent}/v1/capabilities`)),
    registered: known && isBroker(node) ? view.registered.includes(node.kafkaId) : null,
    leader: known && isServer(node) ? view.leader === node.kafkaId : null,
  };
}

/** The record of a lab that is there. @throws Failure 'no-such-lab' naming those that are. */
export function requireLab(name: string): { place: LabPlace; record: LabRecord } {
  const place = placeOf(name);
  const record = readRecord(place);
  if (record === undefined) {
    const others = labNames();
    const there = others.length === 0 ? 'there is none' : `there are: ${others.join(', ')}`;
    throw new Failure('no-such-lab', `no lab '${name}'; ${there}`, { definite: true });
  }
  return { place, record };
}

export function labNames(): string[] {
  try {
    return readdirSync(labsDirectory()).sort();
  } catch {
    // No directory: no lab was ever made here.
    return [];
  }
}

/** How every node of a lab is. */
export async function labStatus(name: string): Promise<LabStatus> {
  const { place, record } = requireLab(name);
  const view = await firstView(record.nodes);
  const description = describeLab(place, record);
  const health = await Promise.all(record.nodes.map((node) => healthOf(place, node, view)));
  const nodes = description.nodes.map((node, index) => ({
    ...node,
    health: health[index] as NodeHealth,
  }));
  return { ...description, state: record.state, nodes };
}
