import { LOCAL_OWNER, type AgentFaultStatus } from '../model/fault-status.ts';
import { hasEnded } from '../model/lifecycle.ts';
import type { NodeName } from '../model/topology.ts';
import { armBody } from './command.ts';
import { commandFor, desiredBy, reportKey } from './reconcile.ts';
import type { FaultRecord, Part } from './record.ts';
import type { MachineState } from './machine-types.ts';
import type { Work } from './work.ts';

/** Sends what brings each node's part in a fault closer to what is wanted. */
export function commandParts(work: Work, id: string): void {
  const record = work.peek(id);
  if (record === undefined) return;
  const desired = desiredBy(record.stage);
  for (const { node } of record.parts) {
    if (!work.ready(node)) continue;
    const report = work.link(node)?.reports.get(reportKey(id, record.instance));
    // Another owner's fault of this name is no part of ours: asked to arm, the agent will say whose.
    const isThis = report?.owner === work.before.owner;
    const part = record.parts.find((each) => each.node === node) as Part;
    // A part that has ended here (refused, given up) is not to be begun again.
    if (!isThis && hasEnded(part.state)) continue;
    const name = commandFor(desired, isThis ? report.state : undefined, record.stage === 'ended');
    if (name === 'arm') sendArm(work, record, node);
    else if (name === 'fire') sendFire(work, record, part);
    else if (name !== undefined) work.send(node, { command: name, id, instance: record.instance });
  }
}

function sendArm(work: Work, record: FaultRecord, node: NodeName): void {
  const link = work.link(node);
  if (link === undefined) return;
  const body = armBody(record, work.before, link);
  const command = { command: 'arm' as const, id: record.id, instance: record.instance, body };
  if (work.send(node, command)) extendLease(work, record.id, node);
}

function sendFire(work: Work, record: FaultRecord, part: Part): void {
  // The instant is over: it does not fire at another one (advance ends the fault).
  if (work.now.bootMs > (record.fireAtBootMs ?? 0)) return;
  const atBootMs = part.fireAtNodeBootMs;
  if (atBootMs === undefined) return;
  const { id, instance } = record;
  if (work.send(part.node, { command: 'fire', id, instance, atBootMs }))
    extendLease(work, id, part.node);
}

function extendLease(work: Work, id: string, node: NodeName): void {
  const leaseMs = work.peek(id)?.leaseMs;
  if (leaseMs === undefined) return;
  const part = work.part(id, node);
  if (part !== undefined) part.leaseEndsWallMs = work.now.wallMs + leaseMs;
}

/**
 * Our own faults on a node that no live record is about: what stands is healed (it is not wanted),
 * what has ended is forgotten (its end is in the store). Other owners' are not touched.
 */
export function commandStrangers(work: Work, node: NodeName): void {
  if (!work.ready(node)) return;
  for (const report of work.link(node)?.reports.values() ?? []) {
    if (work.halted && report.owner === LOCAL_OWNER && !hasEnded(report.state))
      orderHeal(work, node, report);
    if (report.owner !== work.before.owner) continue;
    const record = work.peek(report.id);
    const isLive = record !== undefined && record.instance <= report.instance;
    const isPart = record?.parts.some((part) => part.node === node) === true;
    if (isLive && isPart) continue;
    const name = commandFor('ended', report.state, true);
    if (name === 'heal' || name === 'forget')
      work.send(node, { command: name, id: report.id, instance: report.instance });
  }
}

/** A fault that somebody created on the agent itself: only heal everything ends it from here. */
function orderHeal(work: Work, node: NodeName, report: AgentFaultStatus): void {
  if (commandFor('ended', report.state, false) !== 'heal') return;
  work.send(node, { command: 'heal', id: report.id, instance: report.instance });
}

/** How often leases are renewed: a third of the shortest one, at most every few seconds. */
export function leaseRenewalMs(state: Pick<MachineState, 'settings' | 'faults'>): number {
  const leases = [...state.faults.values()].flatMap((record) => record.leaseMs ?? []);
  return Math.max(200, Math.min(state.settings.leaseRenewalMs, ...leases.map((ms) => ms / 3)));
}

/** Names to every agent the faults that still stand; those it leaves out heal there. */
export function renewLeases(work: Work): void {
  const { now, before } = work;
  const faults = new Map(work.ids().map((id) => [id, work.peek(id) as FaultRecord]));
  const dueAt = work.leasesAtBootMs + leaseRenewalMs({ settings: work.settings, faults });
  if (now.bootMs < dueAt) return;
  work.leasesAtBootMs = now.bootMs;
  for (const [node, link] of work.links()) {
    if (!work.ready(node)) continue;
    const standing = [...faults.values()].filter(
      (record) =>
        ['arming', 'firing', 'active'].includes(record.stage) &&
        record.parts.some((part) => part.node === node && !hasEnded(part.state)),
    );
    const known = [...link.reports.values()];
    const ours = known.filter((each) => each.owner === before.owner && !hasEnded(each.state));
    if (standing.length === 0 && ours.length === 0) continue;
    const named = standing.map(({ id, instance }) => ({ id, instance }));
    if (!work.send(node, { command: 'leases', owner: before.owner, faults: named })) continue;
    for (const record of standing) extendLease(work, record.id, node);
  }
}

/** When the machine has to be asked again though nothing happens: boot clock, or undefined. */
export function nextWakeBootMs(
  state: MachineState,
  now: { wallMs: number; bootMs: number },
): number | undefined {
  const { settings } = state;
  let next = Number.POSITIVE_INFINITY;
  // What is due already was done in the last step, or waits for something else than time.
  const consider = (at: number): void => {
    if (at > now.bootMs && at < next) next = at;
  };
  for (const record of state.faults.values()) {
    if (record.stageEndsBootMs !== undefined) consider(record.stageEndsBootMs);
    if (record.startWallMs === undefined) continue;
    const untilMs = record.startWallMs - now.wallMs;
    if (record.stage === 'pending') consider(now.bootMs + untilMs - settings.armAheadMs);
    if (record.stage === 'arming') consider(now.bootMs + untilMs - settings.fireAheadMs);
  }
  if (state.faults.size > 0) consider(state.leasesAtBootMs + leaseRenewalMs(state));
  for (const link of state.links.values())
    for (const at of link.retryAtBootMs.values()) consider(at);
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}
