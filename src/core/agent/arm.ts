import type { Problem } from '../base/problem.ts';
import { stands } from '../faults/registry.ts';
import type { AgentFaultRequest } from '../model/fault-request.ts';
import type { Step } from '../model/fault.ts';
import { hasEnded } from '../model/lifecycle.ts';
import type { Answer, Query } from '../model/query.ts';
import { checkRequest, ownerOf, specHashOf, type CheckedRequest } from './check.ts';
import type { AgentReply } from './event.ts';
import type { ArmRecord } from './journal-record.ts';
import { keyOf, latest, type Fault } from './state.ts';
import { planText, progressOf, statusOf } from './status.ts';
import { begin, push, remove, reply, replyAll, update, type Work } from './work.ts';

const ASK_TIMEOUT_MS = 5_000;

/** A request to create a fault: found, refused, or on its way. */
export function create(
  work: Work,
  ticket: number,
  request: AgentFaultRequest,
  dryRun: boolean,
): void {
  if (!dryRun) {
    const known = findKnown(work, ticket, request);
    if (known) return;
  }
  const refusal = dryRun ? undefined : refuseNew(work);
  if (refusal) return reply(work, ticket, refusal);
  const checked = checkRequest(work.state, request);
  if (Array.isArray(checked)) return reply(work, ticket, unprocessable(checked));
  const fault = newFault(ticket, request, checked, dryRun);
  work.faults.set(fault.key, fault);
  if (!dryRun) push(work, fault);
  const queries = checked.kind.observe(checked.params, checked.here);
  if (queries.length === 0) observed(work, fault, []);
  else ask(work, fault, 'observe', queries, ASK_TIMEOUT_MS);
}

/** The same id again: the same fault where the spec is the same, a conflict where it is not. */
function findKnown(work: Work, ticket: number, request: AgentFaultRequest): boolean {
  const instance = request.context?.instance ?? 1;
  const exact = work.faults.get(keyOf(request.id, instance));
  const newest = latest(work.faults, request.id);
  const known = exact ?? newest;
  if (!known) return false;
  const conflict = (detail: string): true => {
    reply(work, ticket, { status: 409, detail, conflictsWith: known.id });
    return true;
  };
  if (known.owner !== ownerOf(request))
    return conflict(`fault '${known.id}' belongs to another owner, '${known.owner}'`);
  if (known.specHash !== specHashOf(request))
    return conflict(`fault '${known.id}' exists with another spec`);
  if (exact) {
    if (exact.state === 'arming') update(work, exact, { tickets: [...exact.tickets, ticket] });
    else reply(work, ticket, { status: 200, body: statusOf(exact, work.state.node) });
    return true;
  }
  if (known.instance > instance)
    return conflict(`instance ${known.instance} of fault '${known.id}' came after ${instance}`);
  if (!hasEnded(known.state))
    return conflict(`instance ${known.instance} of fault '${known.id}' is still ${known.state}`);
  return false;
}

function refuseNew(work: Work): AgentReply | undefined {
  const { closed, stopping, limits } = work.state;
  if (stopping) return { status: 409, detail: 'this agent is stopping' };
  if (closed)
    return { status: 409, detail: 'everything was healed; POST /v1/resume allows new faults' };
  const alive = [...work.faults.values()].filter((fault) => !hasEnded(fault.state)).length;
  if (alive >= limits.faults)
    return { status: 409, detail: `this agent holds ${alive} faults, and no more at once` };
  return undefined;
}

function newFault(
  ticket: number,
  request: AgentFaultRequest,
  checked: CheckedRequest,
  dryRun: boolean,
): Fault {
  const { kind, params, here, durationMs, leaseMs } = checked;
  const key = keyOf(request.id, here.instance);
  return {
    key: dryRun ? `dry run ${ticket}` : key,
    id: request.id,
    instance: here.instance,
    owner: ownerOf(request),
    kind: kind.kind,
    specHash: specHashOf(request),
    dryRun,
    armOnly: request.context?.armOnly ?? false,
    durationMs,
    leaseMs,
    state: 'arming',
    plan: {
      kind,
      params,
      here,
      standing: stands(kind, params),
      steps: [],
      witness: { untestable: 'not planned yet' },
    },
    planText: [],
    claims: [],
    undos: [],
    receipt: { effect: 'pending', says: '', notes: [] },
    problems: [],
    tickets: [ticket],
    stepsBegun: 0,
    stepsDone: 0,
    retries: 0,
    recovered: false,
    notes: [],
  };
}

export function unprocessable(problems: Problem[]): AgentReply {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return { status: 422, detail: `${count} in the request`, problems };
}

/** Nothing was touched: whoever asked is told why, and the fault is forgotten. */
export function refuse(work: Work, fault: Fault, answer: AgentReply): void {
  const refused = replyAll(work, fault, answer);
  const problems = 'problems' in answer ? (answer.problems ?? []) : [];
  const error = 'detail' in answer ? answer.detail : undefined;
  push(work, update(work, refused, { state: 'refused', problems, error }));
  remove(work, refused);
}

export function ask(
  work: Work,
  fault: Fault,
  what: 'observe' | 'before' | 'look' | 'lastLook' | 'after',
  queries: Query[],
  timeoutMs: number,
): void {
  const { key, plan, doing } = begin(work, fault, what);
  const probes =
    what === 'look' && plan && 'sample' in plan.witness ? [...plan.witness.probes] : [];
  const serial = doing?.serial ?? 0;
  work.effects.push({ effect: 'ask', key, serial, queries, probes, timeoutMs });
}

/** The facts are in: plan, claim, and look once before anything changes. */
export function observed(work: Work, fault: Fault, facts: Answer[]): void {
  if (!fault.plan) return;
  if (fault.wanted) return refuse(work, fault, cancelledReply(fault));
  const { kind, params, here } = fault.plan;
  const claims = kind.claims(params, here, facts);
  // Before the plan: a process that another fault has stopped is 'held by F', not 'stopped already'.
  const holder = holderOf(work, fault, claims);
  if (holder) return refuse(work, fault, holder);
  const steps = kind.plan(params, here, facts);
  if (isProblems(steps)) return refuse(work, fault, unprocessable(steps));
  const ordered = [...steps].sort((left, right) => (left.afterMs ?? 0) - (right.afterMs ?? 0));
  const witness = kind.witness(params, here, facts);
  const backend = kind.backend?.(params, here);
  const next = update(work, fault, {
    plan: { ...fault.plan, steps: ordered, witness },
    ...(backend && { receipt: { ...fault.receipt, backend: backend.name } }),
    ...(backend?.note !== undefined && { notes: [backend.note] }),
    planText: planText(ordered),
    claims,
    ...('sample' in witness ? { sample: witness.sample } : {}),
    undos: ordered.flatMap((step, index) =>
      'act' in step.undo
        ? [{ step: index, says: step.says, act: step.undo, open: true, attempts: 0, lastError: '' }]
        : [],
    ),
  });
  if (fault.dryRun) return endDryRun(work, next);
  if ('untestable' in witness) journal(work, next);
  else ask(work, next, 'before', [witness.sample], ASK_TIMEOUT_MS);
}

function isProblems(planned: Step[] | Problem[]): planned is Problem[] {
  return planned.some((each) => 'message' in each);
}

function endDryRun(work: Work, fault: Fault): void {
  const body = statusOf(update(work, fault, { state: 'pending' }), work.state.node);
  remove(work, replyAll(work, fault, { status: 200, body }));
}

/** Another fault holds what this one needs for itself: "refused: held by F". */
function holderOf(work: Work, fault: Fault, claims: Fault['claims']): AgentReply | undefined {
  for (const other of work.faults.values()) {
    if (other.key === fault.key || hasEnded(other.state)) continue;
    const held = claims.find((claim) => other.claims.some((each) => each.key === claim.key));
    if (held)
      return {
        status: 409,
        detail: `refused: ${held.says} is held by '${other.id}'`,
        conflictsWith: other.id,
      };
  }
  return undefined;
}

export function cancelledReply(fault: Fault): AgentReply {
  return { status: 409, detail: `fault '${fault.id}' was healed while it was being armed` };
}

/** The machine as it was before: what the witness compares with. */
export function sampledBefore(work: Work, fault: Fault, before: Answer | undefined): void {
  if (fault.wanted) return refuse(work, fault, cancelledReply(fault));
  journal(work, update(work, fault, { receipt: { ...fault.receipt, before } }));
}

/** All undos on disk, with one fsync, before anything is done. */
function journal(work: Work, fault: Fault): void {
  const next = begin(work, fault, 'journal');
  const arm: ArmRecord = {
    id: fault.id,
    instance: fault.instance,
    owner: fault.owner,
    kind: fault.kind,
    specHash: fault.specHash,
    node: work.state.node,
    bootId: work.state.bootId,
    armedAtBootMs: work.nowMs,
    plan: fault.planText,
    claims: fault.claims,
    ...(fault.receipt.before === undefined ? {} : { before: fault.receipt.before }),
    ...(fault.sample === undefined ? {} : { sample: fault.sample }),
    undos: fault.undos.map(({ says, act }) => ({ says, act })),
  };
  // It may act the moment it is armed: should the agent die then, the record must not deny it.
  const fireAt = fault.armOnly ? {} : { fireAtBootMs: work.nowMs };
  const progress = { ...progressOf(fault), ...fireAt, state: 'armed' as const };
  const serial = next.doing?.serial ?? 0;
  work.effects.push({ effect: 'journal', key: fault.key, serial, arm, progress });
}

/** Armed: whoever asked is told, and without `armOnly` it fires at once. */
export function journaled(work: Work, fault: Fault, record: number): void {
  const armed = update(work, fault, {
    state: 'armed',
    record,
    armedAtMs: work.nowMs,
    ...(fault.armOnly ? {} : { fireAtMs: work.nowMs }),
    ...(fault.leaseMs === undefined ? {} : { leaseEndsMs: work.nowMs + fault.leaseMs }),
  });
  push(work, armed);
  replyAll(work, armed, { status: 201, body: statusOf(armed, work.state.node) });
}
