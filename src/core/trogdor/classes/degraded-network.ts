import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import type { NodeName } from '../../model/topology.ts';
import { taskClass, type AgentHere, type TaskFault } from '../task-class.ts';

const FIELDS = Type.Object(
  {
    nodeSpecs: Type.Record(
      Type.String(),
      Type.Object(
        {
          networkDevice: Type.String({ maxLength: 64, default: '' }),
          latencyMs: Type.Integer({ default: 0 }),
          rateLimitKbit: Type.Integer({ default: 0 }),
        },
        { additionalProperties: false },
      ),
      { default: {} },
    ),
  },
  { additionalProperties: false },
);
type Fields = Static<typeof FIELDS>;

function check({ nodeSpecs }: Fields): Problem[] {
  return Object.entries(nodeSpecs).flatMap(([node, spec]) =>
    (['latencyMs', 'rateLimitKbit'] as const)
      .filter((field) => spec[field] < 0)
      .map((field) => ({
        path: `/nodeSpecs/${node}/${field}`,
        message: 'less than nothing',
        found: `${spec[field]}`,
      })),
  );
}

/** Nodes with the same value of a field, as one fault. */
function byValue(
  { nodeSpecs }: Fields,
  field: 'latencyMs' | 'rateLimitKbit',
): Map<number, NodeName[]> {
  const groups = new Map<number, NodeName[]>();
  for (const [node, { [field]: value }] of Object.entries(nodeSpecs))
    if (value > 0) groups.set(value, [...(groups.get(value) ?? []), node].sort());
  return groups;
}

/** As much as tc(8) was told: a jitter of the latency's root, with a heavy tail. */
function delay(latencyMs: number): Record<string, unknown> {
  const jitterMs = Math.max(1, Math.floor(Math.sqrt(latencyMs)));
  const latency = { latency: `${latencyMs}ms`, jitter: `${jitterMs}ms`, distribution: 'pareto' };
  return { ...latency, backend: 'netem-or-nfqueue' };
}

/** @param among the nodes that can meet what these send: those that have an agent. */
function faults(fields: Fields, nodes: NodeName[], among: readonly NodeName[]): TaskFault[] {
  const peers = [...among];
  const made = [
    ...[...byValue(fields, 'latencyMs')].map(([value, targets]) => ({
      kind: 'network.delay',
      params: { ...delay(value), peers },
      targets,
    })),
    ...[...byValue(fields, 'rateLimitKbit')].map(([value, targets]) => ({
      kind: 'network.rate',
      params: { rate: `${value}kbit`, latency: '500ms', peers },
      targets,
    })),
  ];
  // Neither latency nor rate: nothing is what was asked for.
  return made.length > 0 ? made : [{ kind: 'noop', params: {}, targets: nodes }];
}

/**
 * One agent alone can meet what its node sends by a qdisc. Without, it can only hold what it receives: a
 * round trip is as long either way.
 */
function faultsHere({ nodeSpecs }: Fields, { node, all, meets }: AgentHere): TaskFault[] {
  const spec = nodeSpecs[node];
  const alone = spec ? { nodeSpecs: { [node]: spec } } : { nodeSpecs: {} };
  return faults(alone, [node], all).map((fault) => {
    if (fault.kind === 'noop') return fault;
    const qdisc = fault.kind === 'network.delay' ? 'netem' : 'htb';
    const { backend: _backend, ...params } = fault.params;
    const way = meets(qdisc) ? { backend: qdisc } : { direction: 'inbound' };
    return { ...fault, params: { ...params, ...way } };
  });
}

export const degradedNetwork = taskClass({
  name: 'degraded-network',
  javaName: 'org.apache.kafka.trogdor.fault.DegradedNetworkFaultSpec',
  summary: 'Makes what nodes send to each other late, or slow.',
  fields: FIELDS,
  check,
  nodes: ({ nodeSpecs }) => Object.keys(nodeSpecs),
  faults,
  faultsHere,
  words: (taskId) => ({
    active: `enabled traffic control ${taskId}`,
    ended: `disabled traffic control ${taskId}`,
  }),
});
