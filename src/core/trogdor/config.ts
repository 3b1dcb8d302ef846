import { Type } from 'typebox';
import { invalid, under, valid, type Checked } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { NodeName, ROLES, type Cluster, type Role } from '../model/topology.ts';
import { coerce } from './coerce.ts';

export const TROGDOR_AGENT_PORT = 8888;
/** Where our own agents serve, where a node's entry does not say otherwise. */
const OWN_AGENT_PORT = 7711;
const OWN_PORT_KEY = 'faultline.agent.port';

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });

const File = Type.Object({
  platform: Type.String({ default: '' }),
  nodes: Type.Record(
    Type.String(),
    Type.Object({
      hostname: Type.String({ minLength: 1, maxLength: 255, default: 'localhost' }),
      'trogdor.agent.port': Type.Optional(Port),
      'trogdor.coordinator.port': Type.Optional(Port),
      [OWN_PORT_KEY]: Type.Optional(Port),
      tags: Type.Array(Type.String(), { default: [] }),
    }),
  ),
});

/** A node of trogdor.conf. */
export interface TrogdorNode {
  name: NodeName;
  hostname: string;
  /** 0: it has no agent. */
  agentPort: number;
  coordinatorPort?: number;
  /** Where our own agent serves there; 0: the agent there is Trogdor's. */
  ownAgentPort: number;
  tags: string[];
}

/** Reads a trogdor.conf that was parsed. Settings that only Java knows (platform) are passed over. */
export function readTrogdorConfig(document: unknown): Checked<TrogdorNode[]> {
  const checked = checkSchema(File, coerce(File, document));
  if (!checked.ok) return checked;
  const nodes = Object.entries(checked.value.nodes).map(([name, node]): TrogdorNode => {
    const coordinatorPort = node['trogdor.coordinator.port'];
    return {
      name,
      hostname: node.hostname,
      // Whoever gives a coordinator's port alone has no agent there, as kafkatest has none.
      agentPort:
        node['trogdor.agent.port'] ?? (coordinatorPort === undefined ? TROGDOR_AGENT_PORT : 0),
      ...(coordinatorPort === undefined ? {} : { coordinatorPort }),
      ownAgentPort: node[OWN_PORT_KEY] ?? OWN_AGENT_PORT,
      tags: node.tags,
    };
  });
  if (nodes.length === 0) return invalid({ path: '/nodes', message: 'there are no nodes' });
  const problems = nodes.flatMap(({ name }) => {
    const checkedName = checkSchema(NodeName, name);
    return checkedName.ok ? [] : under(`/nodes/${name}`, checkedName.problems);
  });
  return problems.length > 0 ? invalid(...problems) : valid(nodes);
}

const isRole = (tag: string): tag is Role => ROLES.some((role) => role === tag);

/**
 * The cluster that a trogdor.conf describes, for a coordinator that has no other: agents of ours at
 * its hosts. Roles are those among the tags; a node without one is a broker.
 * @param addressesOf a node's addresses, looked up.
 */
export function clusterOf(
  nodes: readonly TrogdorNode[],
  addressesOf: (node: TrogdorNode) => string[],
): Cluster {
  return {
    name: 'trogdor',
    nodes: nodes.map((node) => {
      const roles = node.tags.filter(isRole);
      const host = node.hostname.includes(':') ? `[${node.hostname}]` : node.hostname;
      return {
        name: node.name,
        addresses: addressesOf(node),
        roles: roles.length > 0 ? [...new Set(roles)] : ['broker'],
        ...(node.agentPort === 0 || node.ownAgentPort === 0
          ? {}
          : { agent: `http://${host}:${node.ownAgentPort}` }),
      };
    }),
  };
}
