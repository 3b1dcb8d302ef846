import type { Topology } from './topology.ts';

/**
 * The cluster that the kinds' examples, the docs and the conformance suite speak of: five combined
 * nodes in three racks and one client machine, IPv4 and IPv6 (documentation and benchmark ranges).
 */
export const EXAMPLE_TOPOLOGY: Topology = {
  name: 'example',
  nodes: [
    ...[1, 2, 3, 4, 5].map((index) => ({
      name: `n${index}`,
      agent: `http://198.18.0.${index}:8611`,
      addresses: [`198.18.0.${index}`, `2001:db8::${index}`],
      roles: ['broker' as const, 'controller' as const],
      rack: `r${1 + ((index - 1) % 3)}`,
      kafkaId: index,
      listeners: [
        { name: 'CLIENT', port: 9092, purpose: 'client' as const },
        { name: 'REPLICATION', port: 9093, purpose: 'replication' as const },
        { name: 'CONTROLLER', port: 9094, purpose: 'controller' as const },
      ],
    })),
    {
      name: 'client1',
      agent: 'http://198.18.0.100:8611',
      addresses: ['198.18.0.100', '2001:db8::100'],
      roles: ['client' as const],
    },
  ],
};
