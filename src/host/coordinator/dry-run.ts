import { reasonOf } from '../../core/base/failure.ts';
import type { Problem } from '../../core/base/problem.ts';
import { armBody } from '../../core/coordinator/command.ts';
import type { MachineState } from '../../core/coordinator/machine-types.ts';
import type { FaultRecord, Part } from '../../core/coordinator/record.ts';
import { faultStatus } from '../../core/coordinator/status.ts';
import type { ProblemDetails } from '../../core/model/api.ts';
import type { AgentFaultStatus, FaultStatus } from '../../core/model/fault-status.ts';
import type { NodeName } from '../../core/model/topology.ts';
import { unprocessable } from '../http/http-problem.ts';
import type { AgentLink } from './agent-link.ts';

const PLAN_TIMEOUT_MS = 3_000;

/**
 * Lets every acting agent probe and plan a fault without touching anything.
 * @returns the fault as it would be, with each node's plan. @throws HttpProblem 422 with all problems.
 */
export async function planEverywhere(
  record: FaultRecord,
  state: MachineState,
  links: ReadonlyMap<NodeName, AgentLink>,
): Promise<FaultStatus> {
  const problems: Problem[] = [];
  const parts = await Promise.all(
    (record.resolution?.actors ?? []).map(async (node): Promise<Part> => {
      const part: Part = { node, state: 'pending', problems: [] };
      const addresses = state.links.get(node)?.coordinatorAddresses ?? [];
      const body = armBody(record, state, { coordinatorAddresses: addresses });
      try {
        const path = '/v1/faults?dryRun=true';
        const link = links.get(node);
        if (!link) throw new Error('it has no agent');
        const answer = await link.request('POST', path, body, PLAN_TIMEOUT_MS);
        if (answer.status < 300) part.report = answer.body as AgentFaultStatus;
        else problems.push(...refusals(node, answer.body as Partial<ProblemDetails> | null));
      } catch (error) {
        // Unreachable or silent: refused by name, like at arming.
        problems.push({ path: '/targets', message: `node '${node}': ${reasonOf(error)}` });
      }
      return part;
    }),
  );
  if (problems.length > 0) throw unprocessable(problems);
  return faultStatus({ ...record, parts }, state.owner);
}

function refusals(node: NodeName, details: Partial<ProblemDetails> | null): Problem[] {
  const problems = details?.problems ?? [];
  if (problems.length === 0)
    return [{ path: '', message: `${node}: ${details?.detail ?? 'refused'}` }];
  return problems.map((problem) => ({ ...problem, message: `${node}: ${problem.message}` }));
}
