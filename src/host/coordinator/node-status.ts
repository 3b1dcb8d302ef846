import { formatInstant } from '../../core/base/instant.ts';
import type { MachineState } from '../../core/coordinator/machine-types.ts';
import type { NodeStatus } from '../../core/model/fault-status.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import type { Node, NodeName, Topology } from '../../core/model/topology.ts';
import type { AgentLink } from './agent-link.ts';

function nodeStatus(node: Node, link: AgentLink | undefined, state: MachineState): NodeStatus {
  const status: NodeStatus = {
    name: node.name,
    roles: node.roles,
    addresses: node.addresses,
    agent: node.agent ?? null,
    link: link?.state ?? 'none',
    capabilities: link?.capabilities ?? [],
    faults: [...(state.links.get(node.name)?.reports.values() ?? [])]
      .filter((report) => !hasEnded(report.state))
      .map((report) => report.id),
  };
  if (node.listeners !== undefined) status.listeners = node.listeners;
  if (link === undefined) return status;
  status.since = formatInstant(link.sinceWallMs);
  if (link.error !== undefined) status.linkError = link.error;
  if (link.version !== undefined) status.version = link.version;
  const clock = link.clockEstimate;
  if (clock !== undefined)
    status.clock = { offsetMs: clock.offsetMs, uncertaintyMs: clock.uncertaintyMs };
  return status;
}

/** Every node as GET /v1/nodes shows it. */
export function nodeStatuses(
  topology: Topology,
  links: ReadonlyMap<NodeName, AgentLink>,
  state: MachineState,
): NodeStatus[] {
  return topology.nodes.map((node) => nodeStatus(node, links.get(node.name), state));
}
