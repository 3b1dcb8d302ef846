import type { AgentFaultRequest } from '../model/fault-request.ts';
import { seedOf, type FaultRecord } from './record.ts';
import type { Command, LinkState, MachineState } from './machine-types.ts';

/** What makes two commands the same one. */
export function commandKey(command: Command): string {
  return command.command === 'leases'
    ? 'leases'
    : `${command.command} ${command.id} ${command.instance}`;
}

/** The route of api.ts that a command is. */
export function routeOf(command: Command): { method: string; path: string; body?: unknown } {
  switch (command.command) {
    case 'arm':
      return { method: 'POST', path: '/v1/faults', body: command.body };
    case 'fire':
      return {
        method: 'POST',
        path: `/v1/faults/${command.id}/fire`,
        body: { instance: command.instance, atBootMs: command.atBootMs },
      };
    case 'heal':
      return { method: 'DELETE', path: `/v1/faults/${command.id}` };
    case 'forget':
      return {
        method: 'POST',
        path: `/v1/faults/${command.id}/forget`,
        body: { instance: command.instance },
      };
    case 'leases':
      return {
        method: 'PUT',
        path: '/v1/leases',
        body: { owner: command.owner, faults: command.faults },
      };
  }
}

/** What one agent is asked to arm. */
export function armBody(
  record: FaultRecord,
  state: Pick<MachineState, 'owner' | 'topology'>,
  link: Pick<LinkState, 'coordinatorAddresses'>,
): AgentFaultRequest {
  const { id, kind, targets, params, duration, lease, reason, override } = record.request;
  const body: AgentFaultRequest = {
    id,
    kind,
    context: {
      owner: state.owner,
      instance: record.instance,
      topology: state.topology,
      selected: record.resolution?.selected ?? [],
      coordinatorAddresses: [...link.coordinatorAddresses],
      armOnly: true,
      seed: seedOf(record),
    },
  };
  const unmet = record.resolution?.unmet;
  if (unmet !== undefined && body.context) body.context.unmet = unmet;
  if (targets !== undefined) body.targets = targets;
  if (params !== undefined) body.params = params;
  if (duration !== undefined) body.duration = duration;
  if (lease !== undefined) body.lease = lease;
  if (reason !== undefined) body.reason = reason;
  if (override !== undefined) body.override = override;
  return body;
}
