import { describeProblem } from '../core/base/problem.ts';
import type { FaultStatus, NodeFaultStatus, Receipt } from '../core/model/fault-status.ts';

export const FAULT_HEADING = ['ID', 'KIND', 'STATE', 'EFFECT', 'ENDED BY', 'TARGETS'];

export function faultRow(fault: FaultStatus): string[] {
  const { id, kind, state, effect, endedBy, targets } = fault;
  return [id, kind, state, effect, endedBy ?? '-', targets.join(' ')];
}

/** Which backend a receipt speaks of. */
export function byBackend({ backend }: Receipt): string {
  return backend === undefined ? '' : ` (by ${backend})`;
}

function nodeLines(name: string, node: NodeFaultStatus): string[] {
  const lines = [`  ${name}: ${node.state}${node.endedBy ? `, ended by ${node.endedBy}` : ''}`];
  const { receipt } = node;
  if (receipt && receipt.says !== '')
    lines.push(`    effect ${receipt.effect}: ${receipt.says}${byBackend(receipt)}`);
  for (const step of node.plan ?? []) lines.push(`    ${step.says}; undo: ${step.undo}`);
  if (node.contact) {
    const until = node.contact.endsAtLatest ?? 'nobody knows when';
    lines.push(`    lost since ${node.contact.lostSince}; ends by itself at the latest ${until}`);
  }
  for (const undo of node.openUndos) {
    lines.push(`    STILL TO UNDO: ${undo.says} (${undo.attempts} attempts: ${undo.lastError})`);
  }
  if (node.error !== undefined) lines.push(`    error: ${node.error}`);
  for (const problem of node.problems) lines.push(`    ${describeProblem(problem)}`);
  return lines;
}

/** A fault for people: one line, then a paragraph a node. */
export function faultLines(fault: FaultStatus): string[] {
  const { id, kind, state, effect, endedBy, selector } = fault;
  const lines = [
    `${kind} '${id}' is ${state}, effect ${effect}${endedBy ? `, ended by ${endedBy}` : ''}`,
  ];
  if (selector) lines.push(`  ${selector.expression} named ${selector.atArming.join(', ')}`);
  for (const problem of fault.problems) lines.push(`  ${describeProblem(problem)}`);
  for (const [name, node] of Object.entries(fault.nodes)) lines.push(...nodeLines(name, node));
  return lines;
}
