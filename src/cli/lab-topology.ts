import type { Node, Topology } from '../core/model/topology.ts';

/** Brokers of a lab unless somebody says otherwise (`lab up`, `cluster.lab.brokers`). */
export const LAB_BROKERS = 3;

/**
 * The nodes of a lab as far as they are known without one: what `lab up` will call them
 * (host/lab/up.ts). Addresses are those of the first free subnet; no schedule depends on them.
 */
export function labTopology(brokers: number = LAB_BROKERS): Topology {
  const node = (name: string, index: number, roles: Node['roles']): Node => ({
    name,
    agent: `http://198.18.0.${11 + index}:7711`,
    addresses: [`198.18.0.${11 + index}`],
    roles,
  });
  const nodes = Array.from({ length: brokers }, (_, index): Node => ({
    ...node(`n${index + 1}`, index, ['broker', 'controller']),
    kafkaId: index + 1,
  }));
  return { name: 'lab', nodes: [...nodes, node('c1', brokers, ['client'])] };
}
