import { hasEnded } from '../model/lifecycle.ts';
import type { AgentFaultStatus } from '../model/fault-status.ts';
import type { NodeName, Topology } from '../model/topology.ts';
import { advance, beginEnding, setInstant } from './advance.ts';
import { commandKey } from './command.ts';
import {
  DEFAULT_SETTINGS,
  type LinkState,
  type MachineEvent,
  type MachineSettings,
  type MachineState,
  type StepResult,
} from './machine-types.ts';
import { commandParts, commandStrangers, renewLeases } from './orders.ts';
import type { FaultRecord, Instant } from './record.ts';
import { noteAnswer, noteLost, noteReport, noteResolved } from './notes.ts';
import { reportKey } from './reconcile.ts';
import { stateOf } from './status.ts';
import { Work } from './work.ts';

/** @param records what the store holds of faults that had not ended. */
export function startState(
  owner: string,
  topology: Topology,
  halted: boolean,
  records: readonly FaultRecord[],
  settings: Partial<MachineSettings> = {},
): MachineState {
  return {
    owner,
    topology,
    settings: { ...DEFAULT_SETTINGS, ...settings },
    halted,
    faults: new Map(records.map((record) => [record.id, record])),
    links: new Map(),
    leasesAtBootMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * One step of the coordinator. Pure: the same state, event and time give the same result, and the
 * given state is not changed.
 */
export function step(state: MachineState, event: MachineEvent, now: Instant): StepResult {
  return stepAll(state, [event], now);
}

/**
 * Several events as one step: all are taken in their order, then the faults move. What a hundred
 * agents say at once is settled once.
 */
export function stepAll(
  state: MachineState,
  events: readonly MachineEvent[],
  now: Instant,
): StepResult {
  const work = new Work(state, now);
  for (const event of events) take(work, event);
  settle(work);
  return { state: work.state(), effects: work.effects };
}

/**
 * The first step after a start: what was under way when the last coordinator ended. An occurrence
 * that was being armed is missed (it has not fired, and never will); of one that was firing or
 * active the agents will say what became of it.
 */
export function recover(state: MachineState, now: Instant): StepResult {
  const work = new Work(state, now);
  for (const id of work.ids()) {
    const record = work.record(id);
    if (record === undefined) continue;
    for (const part of record.parts) {
      if (!hasEnded(part.state)) part.lostSinceWallMs ??= now.wallMs;
    }
    // The instant was not on the disk, but it may have been sent: it may have fired.
    if (record.stage === 'firing') record.fireAtBootMs ??= now.bootMs;
    if (record.stage === 'arming') {
      const message = 'the coordinator restarted before it had fired';
      beginEnding(work, record, 'missed', [{ path: '', message }]);
    }
    // The clock that this was measured by may be another one now.
    else if (record.stageEndsBootMs !== undefined) record.stageEndsBootMs = now.bootMs + 2_000;
  }
  settle(work);
  return { state: work.state(), effects: work.effects };
}

function take(work: Work, event: MachineEvent): void {
  switch (event.event) {
    case 'create': {
      const record = work.add(event.record);
      work.durable.add(record.id);
      work.say({
        type: 'fault.created',
        fault: record.id,
        ...runOf(record),
        message: `${record.request.kind} ${record.id} was created`,
      });
      return;
    }
    case 'resolved':
      noteResolved(work, event);
      return;
    case 'decided': {
      const record = work.record(event.id);
      if (record?.stage === 'firing' && record.instance === event.instance)
        setInstant(work, record);
      return;
    }
    case 'heal':
      cancel(work, event.id);
      return;
    case 'healAll':
      setHalted(work, true);
      for (const id of work.ids()) cancel(work, id);
      return;
    case 'resume':
      setHalted(work, false);
      return;
    case 'linkUp':
      work.setLink(event.node, newLink(event));
      return;
    case 'linkDown':
      dropLink(work, event.node);
      return;
    case 'clock': {
      const link = work.link(event.node);
      if (link) work.setLink(event.node, { ...link, clock: event.clock });
      return;
    }
    case 'status':
      takeStatus(work, event.node, event.faults, event.complete);
      return;
    case 'answer':
      takeAnswer(work, event);
      return;
    case 'tick':
      return;
  }
}

function takeAnswer(work: Work, event: Extract<MachineEvent, { event: 'answer' }>): void {
  const link = work.link(event.node);
  if (!link) return;
  const key = commandKey(event.command);
  const inFlight = new Set(link.inFlight);
  inFlight.delete(key);
  const { bootMs } = work.now;
  const retryAtBootMs = new Map<string, number>();
  for (const [known, at] of link.retryAtBootMs) if (at > bootMs) retryAtBootMs.set(known, at);
  // Also after a success: the report that shows it may still be on its way.
  if (event.command.command !== 'leases') retryAtBootMs.set(key, bootMs + work.settings.retryMs);
  work.setLink(event.node, { ...link, inFlight, retryAtBootMs });
  noteAnswer(work, event);
}

function newLink(event: Extract<MachineEvent, { event: 'linkUp' }>): LinkState {
  return {
    up: true,
    complete: false,
    clock: event.clock,
    coordinatorAddresses: event.coordinatorAddresses,
    reports: new Map(),
    inFlight: new Set(),
    retryAtBootMs: new Map(),
  };
}

function setHalted(work: Work, halted: boolean): void {
  if (work.halted === halted) return;
  work.halted = halted;
  work.effects.push({ effect: 'halted', halted });
  work.say({
    type: halted ? 'coordinator.halted' : 'coordinator.resumed',
    message: halted
      ? 'everything is being healed; new faults are refused until resume'
      : 'new faults are allowed again',
  });
}

function dropLink(work: Work, node: NodeName): void {
  const link = work.link(node);
  if (link?.up !== true) return;
  work.setLink(node, {
    ...link,
    up: false,
    complete: false,
    inFlight: new Set(),
    retryAtBootMs: new Map(),
  });
  for (const id of work.ids()) noteLost(work, id, node);
}

function takeStatus(
  work: Work,
  node: NodeName,
  faults: readonly AgentFaultStatus[],
  complete: boolean,
): void {
  const link = work.link(node);
  if (link?.up !== true) return;
  const reports = new Map(complete ? [] : link.reports);
  for (const report of faults) reports.set(reportKey(report.id, report.instance), report);
  work.setLink(node, { ...link, reports, complete: link.complete || complete });
  for (const report of faults) noteReport(work, node, report);
  if (!complete) return;
  // Named at once which of its faults still stand: coming back renews nothing by itself.
  work.leasesAtBootMs = Number.NEGATIVE_INFINITY;
  for (const id of work.ids()) {
    const part = work.part(id, node);
    if (part === undefined) continue;
    delete part.lostSinceWallMs;
    const known = reports.has(reportKey(id, work.peek(id)?.instance ?? 0));
    const wasTold = part.fireAtNodeBootMs !== undefined || part.report !== undefined;
    if (!known && wasTold && !hasEnded(part.state)) {
      part.state = 'failed';
      part.error = 'its agent no longer knows of it';
      part.endedWallMs = work.now.wallMs;
    }
  }
}

/** Somebody wants this fault's end. */
function cancel(work: Work, id: string): void {
  const record = work.record(id);
  if (record === undefined) return;
  record.stop = true;
  work.durable.add(id);
  const hasFired = record.stage === 'firing' || record.stage === 'active';
  if (record.stage === 'ending') return;
  beginEnding(work, record, hasFired ? undefined : 'cancelled', []);
}

function runOf(record: FaultRecord): { run?: string } {
  return record.request.run === undefined ? {} : { run: record.request.run };
}

/** Moves every fault as far as it goes, writes what changed, then sends what follows from it. */
function settle(work: Work): void {
  for (const id of work.ids()) advance(work, id);
  const later = work.effects.splice(0);
  // Records first: what is sent rests on them.
  for (const record of work.changed()) save(work, record);
  work.effects.push(...later);
  for (const record of work.changed()) sayState(work, record);
  for (const id of work.ids()) commandParts(work, id);
  for (const [node] of work.links()) commandStrangers(work, node);
  renewLeases(work);
  for (const record of work.changed()) if (record.stage === 'ended') work.remove(record.id);
}

function save(work: Work, record: FaultRecord): void {
  const durable = work.durable.has(record.id) || record.stage === 'ended';
  work.effects.push({ effect: 'save', record, durable });
}

function sayState(work: Work, record: FaultRecord): void {
  const { id } = record;
  const before = work.before.faults.get(id);
  const state = stateOf(record);
  if (before !== undefined && stateOf(before) === state && before.instance === record.instance)
    return;
  const reasons = record.problems.map((problem) => problem.message).join('; ');
  work.say({
    type: `fault.${state}`,
    fault: id,
    ...runOf(record),
    message: `${record.request.kind} ${id} is ${state}${reasons === '' ? '' : `: ${reasons}`}`,
    data: { state, targets: record.resolution?.targets ?? [], instance: record.instance },
  });
}
