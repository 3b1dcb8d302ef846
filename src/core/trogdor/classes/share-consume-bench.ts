import {
  ShareConsumeBenchFields,
  shareConsumeBench as bench,
} from '../../workloads/bench/share-consume-bench.ts';
import { loadClass } from '../task-class.ts';

export const shareConsumeBench = loadClass({
  name: 'share-consume-bench',
  javaName: 'org.apache.kafka.trogdor.workload.ShareConsumeBenchSpec',
  summary: bench.summary,
  fields: ShareConsumeBenchFields,
  check: bench.check,
  nodes: ({ consumerNode }) => (consumerNode === '' ? [] : [consumerNode]),
  bench: bench.kind,
});
