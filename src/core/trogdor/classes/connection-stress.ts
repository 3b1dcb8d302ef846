import {
  ConnectionStressFields,
  connectionStress as bench,
} from '../../workloads/bench/connection-stress.ts';
import { loadClass } from '../task-class.ts';

export const connectionStress = loadClass({
  name: 'connection-stress',
  javaName: 'org.apache.kafka.trogdor.workload.ConnectionStressSpec',
  summary: bench.summary,
  fields: ConnectionStressFields,
  check: bench.check,
  nodes: ({ clientNode }) => clientNode,
  bench: bench.kind,
});
