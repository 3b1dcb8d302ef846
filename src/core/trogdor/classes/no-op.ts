import { Type } from 'typebox';
import { taskClass } from '../task-class.ts';

export const noOp = taskClass({
  name: 'no-op',
  javaName: 'org.apache.kafka.trogdor.task.NoOpTaskSpec',
  summary: 'Does nothing, on every node that has an agent.',
  fields: Type.Object({}, { additionalProperties: false }),
  nodes: (_fields, all) => [...all],
  faults: (_fields, nodes) => [{ kind: 'noop', params: {}, targets: nodes }],
  words: () => ({ active: 'active', ended: 'done' }),
});
