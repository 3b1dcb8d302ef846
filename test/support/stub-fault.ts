import { durationMs } from '../../src/core/base/duration.ts';
import { DEFAULT_LEASE_MS, type AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import type { State } from '../../src/core/model/lifecycle.ts';

/** A fault of a stub agent. */
export interface StubFault {
  status: AgentFaultStatus;
  request: AgentFaultRequest;
  leaseMs: number | undefined;
  cancel: (() => void)[];
}

/** What a stub keeps of a fault that it is asked for. */
export function newStubFault(
  node: string,
  request: AgentFaultRequest,
  owner: string,
  instance: number,
  state: State,
): StubFault {
  const { id, kind, lease } = request;
  const status: AgentFaultStatus = {
    id,
    instance,
    owner,
    kind,
    node,
    state,
    specHash: JSON.stringify({ ...request, context: undefined }),
    plan: [{ says: 'nothing', undo: 'nothing' }],
    claims: [],
    receipt: { effect: 'untestable', says: 'a stub', notes: [] },
    problems: [],
    openUndos: [],
  };
  const leaseMs =
    lease === 'none' ? undefined : lease === undefined ? DEFAULT_LEASE_MS : durationMs(lease);
  return { status, request, leaseMs, cancel: [] };
}
