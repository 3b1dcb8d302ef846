import { ENDED, endedEarly, hasEnded, type State } from '../model/lifecycle.ts';
import type { Problem } from '../base/problem.ts';
import type { AgentFaultStatus } from '../model/fault-status.ts';
import type { NodeName } from '../model/topology.ts';
import { beginEnding, beginArming, fire } from './advance.ts';
import type { MachineEvent } from './machine-types.ts';
import type { FaultRecord, Part } from './record.ts';
import { reportKey } from './reconcile.ts';
import type { Work } from './work.ts';

/** What an agent says of a fault: the only evidence of what happened there. */
export function noteReport(work: Work, node: NodeName, report: AgentFaultStatus): void {
  const record = work.peek(report.id);
  if (record === undefined || report.owner !== work.before.owner) return;
  if (report.instance !== record.instance) return;
  const part = work.part(report.id, node);
  const link = work.link(node);
  if (part === undefined || link === undefined) return;
  // An end is final: a report from before it, overtaken on the way, changes nothing.
  if (hasEnded(part.state) && !hasEnded(report.state)) return;
  const wasOpen = !hasEnded(part.state);
  part.report = report;
  if (wasOpen) part.state = seenFromHere(record, part, report);
  if (report.problems.length > 0) part.problems = report.problems;
  const toWall = (bootMs: number): number =>
    work.now.wallMs - (work.now.bootMs - (bootMs - link.clock.offsetMs));
  // After a reboot its clock has begun anew: an instant from before means nothing.
  if (report.firedAtBootMs !== undefined && report.endedBy !== 'reboot') {
    part.firedBootMs ??= report.firedAtBootMs - link.clock.offsetMs;
    part.firedWallMs ??= toWall(report.firedAtBootMs);
  }
  if (!wasOpen || !hasEnded(report.state)) return;
  part.endedWallMs =
    report.endedAtBootMs === undefined ? work.now.wallMs : toWall(report.endedAtBootMs);
  if (endedEarly(report.endedBy)) {
    work.say({
      type: 'fault.endedEarly',
      fault: report.id,
      node,
      message: `${report.id} ended early on ${node}, by ${report.endedBy}`,
      data: { endedBy: report.endedBy },
    });
  }
}

/**
 * A power cut may take from an agent's journal that it was told to fire. What it then calls
 * cancelled may have been in force, and we know it.
 */
function seenFromHere(record: FaultRecord, part: Part, report: AgentFaultStatus): State {
  const mayHaveFired =
    part.firedBootMs !== undefined || record.fireAtBootMs !== undefined || isFired(record.stage);
  const forgot = report.state === 'cancelled' && report.endedBy === 'reboot';
  return forgot && mayHaveFired ? 'healed' : report.state;
}

function isFired(stage: FaultRecord['stage']): boolean {
  return stage === 'firing' || stage === 'active';
}

/** The link to a node that has a part in this fault is gone. */
export function noteLost(work: Work, id: string, node: NodeName): void {
  const open = work.peek(id)?.parts.some((part) => part.node === node && !hasEnded(part.state));
  if (open !== true) return;
  const part = work.part(id, node);
  if (part === undefined) return;
  part.lostSinceWallMs ??= work.now.wallMs;
  work.say({
    type: 'fault.contactLost',
    fault: id,
    node,
    message: `contact with ${node} is lost while ${id} stands there`,
  });
}

const ORDER: readonly (readonly State[])[] = [
  ['pending'],
  ['arming'],
  ['armed'],
  ['active'],
  ['healing', 'stuck'],
  ENDED,
];

/** Pushes come in order; an answer may have been overtaken by a push that says more. */
function isOlder(answered: AgentFaultStatus, known: AgentFaultStatus | undefined): boolean {
  if (known === undefined || known.instance < answered.instance) return false;
  const rank = ({ state }: AgentFaultStatus): number =>
    ORDER.findIndex((states) => states.includes(state));
  return known.instance > answered.instance || rank(answered) < rank(known);
}

/** The answer to a command; whatever it says, reports decide. */
export function noteAnswer(work: Work, event: Extract<MachineEvent, { event: 'answer' }>): void {
  const { node, command, status } = event;
  const link = work.link(node);
  if (command.command === 'forget' && link && status > 0 && status < 500) {
    // 404: it was forgotten before, and the answer was lost.
    const reports = new Map(link.reports);
    reports.delete(reportKey(command.id, command.instance));
    work.setLink(node, { ...link, reports });
    return;
  }
  if (event.fault !== undefined && link && status < 300) {
    const known = link.reports.get(reportKey(event.fault.id, event.fault.instance));
    if (!isOlder(event.fault, known)) {
      work.setLink(node, {
        ...link,
        reports: new Map(link.reports).set(
          reportKey(event.fault.id, event.fault.instance),
          event.fault,
        ),
      });
      noteReport(work, node, event.fault);
    }
  }
  if (command.command === 'fire' && status > 0 && status < 300) {
    const isThis = work.peek(command.id)?.instance === command.instance;
    const part = isThis ? work.part(command.id, node) : undefined;
    if (part !== undefined) part.fireTold = true;
  }
  if (command.command === 'arm' && status >= 400) refusePart(work, event);
  if (command.command === 'heal' && status === 404) goneAtHealing(work, event);
}

function refusePart(work: Work, event: Extract<MachineEvent, { event: 'answer' }>): void {
  if (event.command.command !== 'arm') return;
  const { id, instance } = event.command;
  if (work.peek(id)?.instance !== instance) return;
  const part = work.part(id, event.node);
  if (part === undefined || hasEnded(part.state)) return;
  part.state = 'refused';
  part.error = event.detail ?? `answered ${event.status}`;
  if (event.problems !== undefined) part.problems = [...event.problems];
  if (event.conflictsWith !== undefined) part.conflictsWith = event.conflictsWith;
}

function goneAtHealing(work: Work, event: Extract<MachineEvent, { event: 'answer' }>): void {
  if (event.command.command !== 'heal') return;
  const { id, instance } = event.command;
  if (work.peek(id)?.instance !== instance) return;
  const part = work.part(id, event.node);
  if (part === undefined || hasEnded(part.state)) return;
  part.state = part.report?.firedAtBootMs === undefined ? 'cancelled' : 'failed';
  part.error = 'its agent no longer knows of it';
  part.endedWallMs = work.now.wallMs;
}

/** Whom the selector names now: at arming, or once more at the fire message. */
export function noteResolved(
  work: Work,
  event: Extract<MachineEvent, { event: 'resolved' }>,
): void {
  const record = work.record(event.id);
  if (record === undefined || record.instance !== event.instance) return;
  const { result } = event;
  if (event.purpose === 'arm') {
    if (record.stage !== 'pending') return;
    if (result.ok) beginArming(work, record, result.value);
    else beginEnding(work, record, 'refused', result.problems);
    return;
  }
  if (record.stage !== 'arming') return;
  if (!result.ok) {
    beginEnding(work, record, 'missed', result.problems);
    return;
  }
  const { selected } = result.value;
  record.atFiring = selected;
  const atArming = record.resolution?.selected ?? [];
  if (selected.join(' ') === atArming.join(' ')) {
    fire(work, record);
    return;
  }
  const problem: Problem = {
    path: '/targets',
    message: `the selector named ${atArming.join(', ')} at arming and ${selected.join(', ')} at firing`,
  };
  beginEnding(work, record, 'missed', [problem]);
}
