import {
  ConfigurableProducerFields,
  configurableProducer as bench,
} from '../../workloads/bench/configurable-producer.ts';
import { loadClass } from '../task-class.ts';

export const configurableProducer = loadClass({
  name: 'configurable-producer',
  javaName: 'org.apache.kafka.trogdor.workload.ConfigurableProducerSpec',
  summary: bench.summary,
  fields: ConfigurableProducerFields,
  check: bench.check,
  nodes: ({ producerNode }) => (producerNode === '' ? [] : [producerNode]),
  bench: bench.kind,
  keepsEmpty: ['activeTopic'],
});
