import { Type } from 'typebox';
import { taskClass } from '../task-class.ts';

/** Scripts write the name as a regular expression, too: 'kafka\.Kafka' means 'kafka.Kafka'. */
function plain(name: string): string {
  return name.replaceAll(/\\(.)/g, '$1');
}

export const processStop = taskClass({
  name: 'process-stop',
  javaName: 'org.apache.kafka.trogdor.fault.ProcessStopFaultSpec',
  summary: 'Stops JVMs (SIGSTOP), and lets them go on.',
  fields: Type.Object(
    {
      nodeNames: Type.Array(Type.String(), { maxItems: 1000, default: [] }),
      javaProcessName: Type.String({ maxLength: 512, default: '' }),
    },
    { additionalProperties: false },
  ),
  check: ({ javaProcessName }) =>
    javaProcessName === ''
      ? [{ path: '/javaProcessName', message: 'is missing: without it every JVM would be stopped' }]
      : [],
  nodes: ({ nodeNames }) => nodeNames,
  faults: ({ javaProcessName }, nodes) => [
    {
      kind: 'process.pause',
      params: { process: { javaName: plain(javaProcessName), expect: 'some' } },
      targets: nodes,
    },
  ],
  words: (_taskId, { javaProcessName }) => ({
    active: `stopped ${javaProcessName}`,
    ended: `resumed ${javaProcessName}`,
  }),
});
