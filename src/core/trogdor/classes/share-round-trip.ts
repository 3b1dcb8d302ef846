import { RoundTripFields, shareRoundTrip as bench } from '../../workloads/bench/round-trip.ts';
import { loadClass } from '../task-class.ts';

export const shareRoundTrip = loadClass({
  name: 'share-round-trip',
  javaName: 'org.apache.kafka.trogdor.workload.ShareRoundTripWorkloadSpec',
  summary: bench.summary,
  fields: RoundTripFields,
  check: bench.check,
  nodes: ({ clientNode }) => (clientNode === '' ? [] : [clientNode]),
  bench: bench.kind,
  keepsEmpty: ['activeTopics'],
});
