import {
  ExternalCommandFields,
  externalCommand as bench,
} from '../../workloads/bench/external-command.ts';
import { loadClass } from '../task-class.ts';

export const externalCommand = loadClass({
  name: 'external-command',
  javaName: 'org.apache.kafka.trogdor.workload.ExternalCommandSpec',
  summary: bench.summary,
  fields: ExternalCommandFields,
  check: bench.check,
  nodes: ({ commandNode }) => (commandNode === '' ? [] : [commandNode]),
  bench: bench.kind,
  opaque: ['workload'],
});
