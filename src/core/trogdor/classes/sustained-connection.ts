import {
  SustainedConnectionFields,
  sustainedConnection as bench,
} from '../../workloads/bench/sustained-connection.ts';
import { loadClass } from '../task-class.ts';

export const sustainedConnection = loadClass({
  name: 'sustained-connection',
  javaName: 'org.apache.kafka.trogdor.workload.SustainedConnectionSpec',
  summary: bench.summary,
  fields: SustainedConnectionFields,
  check: bench.check,
  nodes: ({ clientNode }) => (clientNode === '' ? [] : [clientNode]),
  bench: bench.kind,
});
