import { reasonOf } from '../../core/base/failure.ts';
import { commandKey, routeOf } from '../../core/coordinator/command.ts';
import type { Command, MachineEvent } from '../../core/coordinator/machine-types.ts';
import type { ProblemDetails } from '../../core/model/api.ts';
import type { AgentFaultStatus } from '../../core/model/fault-status.ts';
import type { Cluster, NodeName } from '../../core/model/topology.ts';
import { ClockTurns } from './link-clock.ts';
import { AgentLink, type LinkListener, type LinkOptions } from './agent-link.ts';

/** A link for every node of the cluster that has an agent; none is dialled yet. */
export function dialAgents(
  cluster: Cluster,
  options: Pick<LinkOptions, 'token' | 'tls' | 'owner'>,
  listener: (node: NodeName) => LinkListener,
): Map<NodeName, AgentLink> {
  const links = new Map<NodeName, AgentLink>();
  const clockTurns = new ClockTurns();
  for (const { name, agent } of cluster.nodes) {
    if (agent === undefined) continue;
    const own = { node: name, url: agent, cluster: cluster.name, ...options, clockTurns };
    links.set(name, new AgentLink(own, listener(name)));
  }
  return links;
}

/** Whether a body is a fault as an agent reports it. */
function isFault(body: unknown): body is AgentFaultStatus {
  const fault = body as Partial<AgentFaultStatus> | null;
  return typeof fault?.id === 'string' && typeof fault.state === 'string' && 'receipt' in fault;
}

/** Sends a command of the machine. @returns the event that its answer is; never throws. */
export async function sendCommand(
  link: AgentLink | undefined,
  node: NodeName,
  command: Command,
): Promise<Extract<MachineEvent, { event: 'answer' }>> {
  const { method, path, body } = routeOf(command);
  try {
    if (!link) throw new Error(`${commandKey(command)}: node '${node}' has no agent`);
    const answer = await link.request(method, path, body);
    return toEvent(node, command, answer.status, answer.body);
  } catch (error) {
    // Nobody knows whether it was done: the agent's next report will say.
    return { event: 'answer', node, command, status: 0, detail: reasonOf(error) };
  }
}

function toEvent(
  node: NodeName,
  command: Command,
  status: number,
  body: unknown,
): Extract<MachineEvent, { event: 'answer' }> {
  const event: Extract<MachineEvent, { event: 'answer' }> = {
    event: 'answer',
    node,
    command,
    status,
  };
  if (status < 300) {
    if (isFault(body)) event.fault = body;
    return event;
  }
  const problem = (body ?? {}) as Partial<ProblemDetails>;
  event.detail = problem.detail ?? `answered ${status}`;
  if (problem.problems !== undefined) event.problems = problem.problems;
  if (problem.conflictsWith !== undefined) event.conflictsWith = problem.conflictsWith;
  else if (status === 409) event.conflictsWith = command.command === 'arm' ? command.id : node;
  return event;
}
