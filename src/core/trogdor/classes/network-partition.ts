import { Type } from 'typebox';
import { taskClass } from '../task-class.ts';

export const networkPartition = taskClass({
  name: 'network-partition',
  javaName: 'org.apache.kafka.trogdor.fault.NetworkPartitionFaultSpec',
  summary: 'Cuts groups of nodes off from each other.',
  fields: Type.Object(
    {
      partitions: Type.Array(Type.Array(Type.String(), { maxItems: 1000 }), {
        maxItems: 1000,
        default: [],
      }),
    },
    { additionalProperties: false },
  ),
  nodes: ({ partitions }) => partitions.flat(),
  faults: ({ partitions }) => [{ kind: 'network.partition', params: { groups: partitions } }],
  words: (taskId) => ({
    active: `created network partition ${taskId}`,
    ended: `removed network partition ${taskId}`,
  }),
});
