import { ConsumeBenchFields, consumeBench as bench } from '../../workloads/bench/consume-bench.ts';
import { loadClass } from '../task-class.ts';

export const consumeBench = loadClass({
  name: 'consume-bench',
  javaName: 'org.apache.kafka.trogdor.workload.ConsumeBenchSpec',
  summary: bench.summary,
  fields: ConsumeBenchFields,
  check: bench.check,
  nodes: ({ consumerNode }) => (consumerNode === '' ? [] : [consumerNode]),
  bench: bench.kind,
});
