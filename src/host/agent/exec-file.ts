import { readFileSync, statSync } from 'node:fs';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { under, type Problem } from '../../core/base/problem.ts';
import { checkSchema } from '../../core/base/schema.ts';
import { latest } from '../../core/agent/state.ts';
import { statusOf } from '../../core/agent/status.ts';
import { kindNamed, stands } from '../../core/faults/registry.ts';
import { AgentFaultRequest } from '../../core/model/fault-request.ts';
import type { AgentFaultStatus } from '../../core/model/fault-status.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import type { Agent } from './daemon.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/** A document that names a fault for `--exec` and is wrong. */
export class BadFaultFile extends Failure {
  readonly problems: Problem[];

  constructor(path: string, problems: Problem[]) {
    super('bad-fault-file', `${path} is no fault for this node`, { definite: true });
    this.problems = problems;
  }
}

/** Reads the fault of `--exec FILE`. @throws BadFaultFile with every problem */
export function readFaultFile(path: string): AgentFaultRequest {
  let document: unknown;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error('larger than 1 MiB');
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BadFaultFile(path, [{ path: '', message: reasonOf(error) }]);
  }
  const checked = checkSchema(AgentFaultRequest, document);
  if (!checked.ok) throw new BadFaultFile(path, checked.problems);
  const request = checked.value;
  const kind = kindNamed(request.kind);
  const standing = kind && stands(kind, request.params ?? {});
  if (standing === true && request.duration === undefined)
    throw new BadFaultFile(path, [
      { path: '/duration', message: `'duration' is missing: nobody else would end the fault` },
    ]);
  return request;
}

/**
 * Arms and fires one fault with no coordinator and waits for its end; an abort heals it.
 * @returns how it ended. @throws BadFaultFile where it is refused
 */
export async function execFault(
  agent: Agent,
  path: string,
  request: AgentFaultRequest,
  interrupted: AbortSignal,
): Promise<AgentFaultStatus> {
  const { driver } = agent;
  await agent.probed;
  const reply = await driver.request({ event: 'create', request, dryRun: false });
  if (!('body' in reply))
    throw new BadFaultFile(
      path,
      under('', reply.problems ?? [{ path: '', message: reply.detail }]),
    );
  const ended = (): boolean => hasEnded(latest(driver.state.faults, request.id)?.state ?? 'healed');
  await driver.until(ended, interrupted);
  if (!ended()) {
    await driver.request({ event: 'heal', id: request.id });
    await driver.until(ended);
  }
  const fault = latest(driver.state.faults, request.id);
  if (!fault) throw new Failure('lost', `fault '${request.id}' is gone`, { definite: false });
  return statusOf(fault, driver.state.node);
}
