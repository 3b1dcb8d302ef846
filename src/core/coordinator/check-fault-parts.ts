import { under, type Problem } from '../base/problem.ts';
import { checkSchema } from '../base/schema.ts';
import { KINDS, kindNamed } from '../faults/registry.ts';
import type { Targets } from '../model/fault-request.ts';
import type { Topology } from '../model/topology.ts';
import { checkTargets, unknownName } from './check-parts.ts';

/**
 * Of a requested fault whose shape is wrong somewhere: what is wrong with kind, params and targets
 * where their own shape is right, so that all problems come at once.
 * @param fine whether the shape of a part ('/kind') is right.
 * @returns problems with paths from the request.
 */
export function checkFaultParts(
  request: unknown,
  topology: Topology,
  fine: (part: string) => boolean,
): Problem[] {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return [];
  const { kind: name, params, targets } = request as Record<string, unknown>;
  const problems: Problem[] = [];
  const kind = typeof name === 'string' ? kindNamed(name) : undefined;
  if (typeof name === 'string' && fine('/kind') && !kind) {
    const names = KINDS.map((one) => one.kind);
    problems.push(unknownName('/kind', 'fault kind', name, names));
  }
  if (kind && params !== undefined && fine('/params')) {
    const checked = checkSchema(kind.params, params);
    const found = checked.ok ? (kind.check?.(checked.value, topology) ?? []) : checked.problems;
    problems.push(...under('/params', found));
  }
  if (targets !== undefined && fine('/targets'))
    problems.push(...under('/targets', checkTargets(targets as Targets, topology)));
  return problems;
}
