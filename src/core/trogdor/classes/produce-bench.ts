import { ProduceBenchFields, produceBench as bench } from '../../workloads/bench/produce-bench.ts';
import { loadClass } from '../task-class.ts';

export const produceBench = loadClass({
  name: 'produce-bench',
  javaName: 'org.apache.kafka.trogdor.workload.ProduceBenchSpec',
  summary: bench.summary,
  fields: ProduceBenchFields,
  check: bench.check,
  nodes: ({ producerNode }) => (producerNode === '' ? [] : [producerNode]),
  bench: bench.kind,
  keepsEmpty: ['activeTopics', 'inactiveTopics'],
});
