import { LAB_BROKERS, labNodes, type LabRequest } from '../core/model/lab-layout.ts';
import type { Topology } from '../core/model/topology.ts';
import { listenersOf } from '../host/lab/kafka-files.ts';

/**
 * The nodes of a lab as far as they are known without one: what `lab up` will call them. Addresses are
 * those of the first free subnet; no schedule depends on them.
 */
export function labTopology(lab: LabRequest = {}): Topology {
  const layout = { brokers: lab.brokers ?? LAB_BROKERS, controllers: lab.controllers ?? 0 };
  const nodes = labNodes({ ...layout, clients: 1 }).map(({ name, kafkaId, roles }, index) => ({
    name,
    agent: `http://198.18.0.${11 + index}:7711`,
    addresses: [`198.18.0.${11 + index}`],
    roles,
    listeners: listenersOf({ roles }),
    ...(kafkaId < 0 ? {} : { kafkaId }),
  }));
  return { name: 'lab', nodes };
}
