import { sameJson } from '../../src/core/base/canonical-json.ts';
import { durationMs } from '../../src/core/base/duration.ts';
import type { AgentEvent } from '../../src/core/agent/event.ts';
import { LOCAL_OWNER, type AgentState, type Fault } from '../../src/core/agent/state.ts';
import type { Act } from '../../src/core/model/act.ts';
import {
  DEFAULT_LEASE_MS,
  KERNEL_TIMEOUT_MS,
  type AgentFaultRequest,
} from '../../src/core/model/fault-request.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { hasEnded, TRANSITIONS, type State } from '../../src/core/model/lifecycle.ts';
import type { Asker } from './driver.ts';
import { Ledger, type Terms } from './ledger.ts';
import type { SimNode } from './node.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** A law was broken. */
export class Violation extends Error {
  override name = 'Violation';
}

/** Undoing on time takes this long at most, with the last look before it: a tick. */
const TICK_MS = 1_000;
/** The guard waits a second for a stopped agent, starts a healer, and heals. */
const GUARD_MS = 2_500;
/** A guard, or an agent that is stuck, tries again after this long at most. */
const RETRY_MS = 31_000;

/** Everything that must hold after every event, by an account of its own. */
export class Invariants {
  readonly #world: World;
  readonly #ledgers = new Map<SimNode, Ledger>();
  readonly #fired = new Map<string, number>();
  /** By process and fault: the last state it showed. */
  readonly #shown = new Map<Process, Map<string, State>>();
  readonly endings = new Map<string, number>();
  readonly haltedOwners = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  fail(message: string): never {
    this.#world.say(`VIOLATION ${message}`);
    throw new Violation(message);
  }

  #ledger(node: SimNode): Ledger {
    let ledger = this.#ledgers.get(node);
    if (!ledger) this.#ledgers.set(node, (ledger = new Ledger()));
    return ledger;
  }

  /** How often it was fired there. */
  firedOn(node: string, owner: string, key: string): number {
    return this.#fired.get(`${node} ${owner} ${key}`) ?? 0;
  }

  agentStepped(
    node: SimNode,
    before: AgentState,
    after: AgentState,
    event: AgentEvent,
    asker: Asker,
  ): void {
    const ledger = this.#ledger(node);
    const nowMs = node.bootMs;
    if (event.event === 'leases') {
      for (const { id, instance } of event.faults) {
        const terms = ledger.terms.get(`${id}/${instance}`);
        if (terms?.owner !== event.owner || terms.leaseMs === undefined) continue;
        // What has run out is not renewed.
        if ((terms.leaseEndsMs ?? 0) > nowMs) terms.leaseEndsMs = nowMs + terms.leaseMs;
      }
    }
    if (after.faults === before.faults) return;
    for (const [key, fault] of after.faults) {
      const old = before.faults.get(key);
      if (old === fault) continue;
      if (event.event === 'create' && old === undefined && !fault.dryRun)
        ledger.terms.set(key, termsOf(event.request));
      if (fault.state !== 'arming' && old?.state === 'arming') {
        const terms = ledger.terms.get(key);
        if (terms?.leaseMs !== undefined) terms.leaseEndsMs = nowMs + terms.leaseMs;
      }
      if (fault.firedAtMs !== undefined && old?.firedAtMs === undefined && !fault.recovered)
        this.#fires(node, key, fault);
      this.#checkAsker(node, old, fault, event, asker);
    }
  }

  #fires(node: SimNode, key: string, fault: Fault): void {
    const name = `${node.name} ${fault.owner} ${key}`;
    this.#world.say(`${node.name}: fires ${key}`);
    const times = (this.#fired.get(name) ?? 0) + 1;
    this.#fired.set(name, times);
    if (times > 1) this.fail(`${key} of ${fault.owner} was fired ${times} times on ${node.name}`);
  }

  /** Only its owner ends a fault; but whoever heals everything may end local ones. */
  #checkAsker(
    node: SimNode,
    old: Fault | undefined,
    fault: Fault,
    event: AgentEvent,
    asker: Asker,
  ): void {
    const byRequest = (one: Fault | undefined): boolean =>
      one?.wanted?.why === 'request' || one?.cause?.why === 'request';
    if (!byRequest(fault) || byRequest(old) || fault.recovered) return;
    const owner = old?.owner ?? fault.owner;
    if (asker === owner) return;
    if (asker !== undefined && owner === LOCAL_OWNER && this.haltedOwners.has(asker)) return;
    this.fail(
      `${fault.key} of ${owner} on ${node.name} was ended by ${asker ?? 'nobody'} (${event.event})`,
    );
  }

  /** Before an act: its undo must be on the disk. */
  acts(node: SimNode, act: Act, state: AgentState, effect: { key: string; serial: number }): void {
    const fault = state.faults.get(effect.key);
    if (fault?.doing?.serial !== effect.serial) return;
    this.#world.say(`${node.name}: ${fault.doing.what} of ${fault.key}: ${act.act}`);
    if (fault.doing.what !== 'act') return;
    const undo = fault.plan?.steps[fault.doing.index ?? 0]?.undo;
    const record = node.disk
      .durable()
      .find(({ arm }) => `${arm.id}/${arm.instance}` === fault.key && arm.owner === fault.owner);
    if (!record) this.fail(`${fault.key} acts on ${node.name} without a record in its journal`);
    if (undo === undefined || !('act' in undo)) return;
    if (!record.arm.undos.some((each) => sameJson(each.act, undo)))
      this.fail(`${fault.key} acts on ${node.name}, and its undo is not in the journal`);
    if (undo.act !== 'noop') this.#ledger(node).began(fault.key, node.bootMs, undo);
  }

  performed(node: SimNode, act: Act): void {
    this.#ledger(node).performed(act);
  }

  rebooted(node: SimNode): void {
    this.#ledger(node).inForce = [];
  }

  /** What an agent shows of a fault: along the table, and the end is final. */
  agentSays(node: SimNode, process: Process, status: AgentFaultStatus): void {
    const { id, instance, owner, state, endedBy } = status;
    this.#world.say(
      `${node.name}: ${id}/${instance} of ${owner} is ${state}${endedBy ? ` by ${endedBy}` : ''}`,
    );
    const key = `${owner} ${id}/${instance}`;
    const shown = this.#shown.get(process) ?? new Map<string, State>();
    this.#shown.set(process, shown);
    const before = shown.get(key);
    const isAnew = before === 'refused' && state === 'arming';
    if (before !== undefined && before !== state && !isAnew && !TRANSITIONS[before].includes(state))
      this.fail(`${key} on ${node.name} went from ${before} to ${state}`);
    shown.set(key, state);
    if (hasEnded(state)) {
      const how = endedBy ?? state;
      this.endings.set(how, (this.endings.get(how) ?? 0) + 1);
    }
  }

  /** After every event. */
  check(nodes: readonly SimNode[]): void {
    for (const node of nodes) {
      const ledger = this.#ledger(node);
      if (ledger.inForce.length > 0) this.#checkTimes(node, ledger);
    }
  }

  #checkTimes(node: SimNode, ledger: Ledger): void {
    const { nowMs } = this.#world;
    const graceMs = node.agent?.process.running === true ? TICK_MS : GUARD_MS;
    const troubledMs = node.troubleUntilMs > 0 ? node.troubleUntilMs + RETRY_MS : 0;
    for (const entry of ledger.inForce) {
      const dueMs = ledger.dueMs(entry) - node.offsetMs;
      if (nowMs <= dueMs || !node.hasHealer) continue;
      const calmMs = Math.max(node.disturbedMs, troubledMs);
      const untilMs = Math.max(dueMs + graceMs, calmMs + GUARD_MS);
      if (nowMs > untilMs)
        this.fail(
          `${entry.key} stands on ${node.name} ${Math.round(nowMs - dueMs)} ms after it was due`,
        );
    }
    this.#checkExpiry(node, ledger);
  }

  /** With nobody to refresh it, the kernel lets go by itself. */
  #checkExpiry(node: SimNode, ledger: Ledger): void {
    const dues = ledger.inForce.map((entry) => ledger.dueMs(entry) - node.offsetMs);
    const lastMs = Math.max(...dues, node.disturbedMs) + GUARD_MS;
    if (this.#world.nowMs > lastMs + KERNEL_TIMEOUT_MS && node.linux.dropped().length > 0)
      this.fail(`${node.name} still drops packets, and nobody wants it to`);
  }

  /** At the very end: every machine is what it was. */
  checkBaseline(node: SimNode): void {
    const now = JSON.stringify(node.linux.snapshot());
    if (now !== node.baseline) this.fail(`${node.name} is left as ${now}`);
    const [left] = this.#ledger(node).inForce;
    if (left) this.fail(`${left.key} was never undone on ${node.name}`);
  }
}

function termsOf(request: AgentFaultRequest): Terms {
  const { duration, lease, context } = request;
  const terms: Terms = { owner: context?.owner ?? LOCAL_OWNER };
  if (duration !== undefined) terms.durationMs = durationMs(duration);
  const noneByDefault = context === undefined && duration !== undefined;
  if (lease === undefined && !noneByDefault) terms.leaseMs = DEFAULT_LEASE_MS;
  if (lease !== undefined && lease !== 'none') terms.leaseMs = durationMs(lease);
  return terms;
}
