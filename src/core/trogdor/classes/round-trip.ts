import { RoundTripFields, roundTrip as bench } from '../../workloads/bench/round-trip.ts';
import { loadClass } from '../task-class.ts';

export const roundTrip = loadClass({
  name: 'round-trip',
  javaName: 'org.apache.kafka.trogdor.workload.RoundTripWorkloadSpec',
  summary: bench.summary,
  fields: RoundTripFields,
  check: bench.check,
  nodes: ({ clientNode }) => (clientNode === '' ? [] : [clientNode]),
  bench: bench.kind,
  keepsEmpty: ['activeTopics'],
});
