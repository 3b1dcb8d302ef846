import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { valid } from '../../../src/core/base/problem.ts';
import { admit } from '../../../src/core/coordinator/admission.ts';
import type {
  Command,
  MachineEffect,
  MachineEvent,
  MachineState,
  StepResult,
} from '../../../src/core/coordinator/machine-types.ts';
import { recover, startState, step } from '../../../src/core/coordinator/machine.ts';
import { nextWakeBootMs } from '../../../src/core/coordinator/orders.ts';
import { commandFor } from '../../../src/core/coordinator/reconcile.ts';
import { newRecord, type FaultRecord } from '../../../src/core/coordinator/record.ts';
import { stateOf } from '../../../src/core/coordinator/status.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { FaultRequest } from '../../../src/core/model/fault-request.ts';
import type { AgentFaultStatus } from '../../../src/core/model/fault-status.ts';
import { hasEnded, STATES, type State } from '../../../src/core/model/lifecycle.ts';

const WALL_MS = 1_800_000_000_000;
const noop = (more: Partial<FaultRequest> = {}): FaultRequest => ({
  id: 'f1',
  kind: 'noop',
  targets: 'n1 | n2',
  duration: '60s',
  ...more,
});

function report(
  node: string,
  state: State,
  more: Partial<AgentFaultStatus> = {},
): AgentFaultStatus {
  return {
    id: 'f1',
    instance: 1,
    owner: 'me',
    kind: 'noop',
    node,
    state,
    specHash: '',
    plan: [],
    claims: [],
    receipt: { effect: 'untestable', says: '', notes: [] },
    problems: [],
    openUndos: [],
    ...more,
  };
}

/** A machine with its clock and what is on its disk; agents are played by the test. */
class Bench {
  state: MachineState = startState('me', EXAMPLE_TOPOLOGY, false, []);
  nowMs = 1_000;
  readonly disk = new Map<string, FaultRecord>();
  sent: { node: string; command: Command }[] = [];
  /** Whom selectors name from now on. */
  selected: string[] | undefined;

  now() {
    return { wallMs: WALL_MS + this.nowMs, bootMs: this.nowMs };
  }

  resolution(request: FaultRequest) {
    const admitted = admit(
      { ...request, ...(this.selected ? { targets: this.selected } : {}) },
      { id: request.id, instance: 1 },
      { topology: EXAMPLE_TOPOLOGY, limits: {}, capabilities: new Map(), standing: [] },
    );
    assert.ok(admitted.ok);
    return admitted.value;
  }

  take(event: MachineEvent): MachineEffect[] {
    return this.apply(step(this.state, event, this.now()));
  }

  apply(result: StepResult): MachineEffect[] {
    this.state = result.state;
    for (const effect of result.effects) {
      if (effect.effect === 'save') this.disk.set(effect.record.id, structuredClone(effect.record));
      if (effect.effect === 'send') this.sent.push({ node: effect.node, command: effect.command });
      if (effect.effect === 'decided')
        this.take({ event: 'decided', id: effect.id, instance: effect.instance });
      if (effect.effect === 'resolve') {
        const { id, instance, purpose } = effect;
        const request = this.state.faults.get(id)?.request as FaultRequest;
        const resolution = { ...this.resolution(request), live: request.id.startsWith('live') };
        this.take({ event: 'resolved', id, instance, purpose, result: valid(resolution) });
      }
    }
    return result.effects;
  }

  link(...nodes: string[]): this {
    for (const node of nodes) {
      const clock = { offsetMs: 5_000_000, uncertaintyMs: 0.1, roundTripMs: 10 };
      this.take({ event: 'linkUp', node, clock, coordinatorAddresses: ['192.0.2.1'] });
      this.take({ event: 'status', node, faults: [], complete: true });
    }
    return this;
  }

  create(request: FaultRequest): void {
    const isTimed = request.after !== undefined || request.startAt !== undefined;
    const resolution = isTimed ? undefined : this.resolution(request);
    this.take({ event: 'create', record: newRecord(request, this.now(), resolution) });
  }

  reports(...reports: AgentFaultStatus[]): void {
    for (const each of reports)
      this.take({ event: 'status', node: each.node, faults: [each], complete: false });
  }

  /** What was sent since the last call, as 'node command'. */
  drain(): string[] {
    const lines = this.sent
      .filter((each) => each.command.command !== 'leases')
      .map((each) => `${each.node} ${each.command.command}`);
    this.sent = [];
    return lines;
  }

  wait(ms: number): void {
    this.nowMs += ms;
    this.take({ event: 'tick' });
  }

  shown(id = 'f1'): State {
    const record = this.state.faults.get(id) ?? this.disk.get(id);
    assert.ok(record);
    return stateOf(record);
  }
}

describe('reconcile', () => {
  it('never commands what has ended but to forget it, and never fires what is not armed', () => {
    for (const desired of ['nothing', 'armed', 'fired', 'ended'] as const) {
      for (const state of STATES) {
        const command = commandFor(desired, state, true);
        if (hasEnded(state)) assert.equal(command, 'forget');
        if (command === 'fire') assert.equal(state, 'armed');
        assert.notEqual(command, 'arm');
        if (hasEnded(state)) assert.equal(commandFor(desired, state, false), undefined);
      }
    }
    assert.equal(commandFor('armed', undefined, false), 'arm');
    assert.equal(commandFor('fired', undefined, false), undefined);
  });
});

describe('coordinator machine', () => {
  it('arms everywhere, fires at one instant by each clock, forgets after the end is on disk', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop());
    assert.deepEqual(bench.drain(), ['n1 arm', 'n2 arm']);
    bench.reports(report('n1', 'armed'));
    assert.deepEqual(bench.drain(), []);
    bench.reports(report('n2', 'armed'));
    const instants = bench.sent.map(({ command }) =>
      command.command === 'fire' ? command.atBootMs : 0,
    );
    // Four round trips of 10 ms, by the agents' clocks.
    assert.deepEqual(instants, [5_001_040, 5_001_040]);
    assert.equal(bench.disk.get('f1')?.stage, 'firing');
    assert.deepEqual(bench.drain(), ['n1 fire', 'n2 fire']);
    bench.nowMs += 50;
    bench.reports(report('n1', 'active'), report('n2', 'active'));
    assert.equal(bench.shown(), 'active');
    const ends = { endedBy: 'deadline' as const, endedAtBootMs: 5_061_040 };
    bench.reports(report('n1', 'healed', ends));
    assert.deepEqual(bench.drain(), []);
    bench.reports(report('n2', 'healed', ends));
    assert.deepEqual(bench.drain(), ['n1 forget', 'n2 forget']);
    assert.equal(bench.disk.get('f1')?.stage, 'ended');
    assert.equal(bench.shown(), 'healed');
    assert.equal(bench.state.faults.size, 0);
  });

  it('does not change the state it was given', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop());
    const before = bench.state;
    const copy = structuredClone(before);
    const event: MachineEvent = {
      event: 'status',
      node: 'n1',
      faults: [report('n1', 'armed')],
      complete: false,
    };
    const once = step(before, event, bench.now());
    assert.deepEqual(structuredClone(before), copy);
    assert.deepEqual(step(before, event, bench.now()), once);
  });

  it('heals the others when the message to fire did not arrive in time', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop());
    bench.reports(report('n1', 'armed'), report('n2', 'armed'));
    bench.reports(report('n1', 'active'));
    bench.drain();
    bench.wait(3_000);
    assert.deepEqual(bench.drain().sort(), ['n1 heal', 'n2 heal']);
    bench.reports(report('n1', 'healed', { endedBy: 'request' }), report('n2', 'cancelled'));
    assert.equal(bench.shown(), 'missed');
    assert.match(bench.disk.get('f1')?.problems[0]?.message ?? '', /n2 did not fire in time/);
  });

  it('waits for acts of an agent that has the message', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop());
    bench.reports(report('n1', 'armed'), report('n2', 'armed'));
    const fire = bench.sent.find((each) => each.node === 'n2' && each.command.command === 'fire');
    assert.ok(fire);
    bench.take({ event: 'answer', node: 'n2', command: fire.command, status: 202 });
    bench.reports(report('n1', 'active'));
    bench.wait(10_000);
    bench.reports(report('n2', 'active'));
    assert.equal(bench.shown(), 'active');
  });

  it('is not put back by an answer that a push has overtaken', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop());
    const [arm] = bench.sent;
    assert.ok(arm?.command.command === 'arm');
    const answer = (command: Command, state: State): void => {
      bench.take({ event: 'answer', node: 'n1', command, status: 200, fault: report('n1', state) });
    };
    bench.reports(report('n1', 'armed'));
    answer(arm.command, 'arming');
    bench.reports(report('n2', 'armed'));
    const fire = bench.sent.find((each) => each.node === 'n1' && each.command.command === 'fire');
    assert.ok(fire, 'both are armed, so both are told to fire');
    bench.reports(report('n1', 'active'), report('n2', 'active'));
    bench.drain();
    answer(fire.command, 'armed');
    assert.equal(bench.shown(), 'active');
    assert.equal(bench.state.links.get('n1')?.reports.get('f1 1')?.state, 'active');
    bench.wait(40_000);
    assert.deepEqual(bench.drain(), [], 'neither told to fire again nor given up');
    assert.equal(bench.shown(), 'active');
  });

  it('misses a fault whose selector names others at firing', () => {
    const bench = new Bench().link('n1', 'n2', 'n3');
    bench.create(noop({ id: 'live1', after: '5s' }));
    assert.deepEqual(bench.drain(), []);
    bench.wait(3_500);
    assert.deepEqual(bench.drain(), ['n1 arm', 'n2 arm']);
    bench.selected = ['n2', 'n3'];
    const armed = { id: 'live1' };
    bench.reports(report('n1', 'armed', armed), report('n2', 'armed', armed));
    assert.deepEqual(bench.drain(), []);
    bench.wait(1_400);
    assert.deepEqual(bench.drain(), ['n1 heal', 'n2 heal']);
    bench.reports(report('n1', 'cancelled', armed), report('n2', 'cancelled', armed));
    assert.equal(bench.shown('live1'), 'missed');
    assert.match(
      bench.disk.get('live1')?.problems[0]?.message ?? '',
      /n1, n2 at arming and n2, n3/,
    );
  });

  it('after a restart misses what was arming, and believes the agents about the rest', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop());
    const arming = [...bench.disk.values()];
    bench.reports(report('n1', 'armed'), report('n2', 'armed'));
    const firing = [...bench.disk.values()];

    const early = new Bench();
    early.apply(recover(startState('me', EXAMPLE_TOPOLOGY, false, arming), early.now()));
    assert.equal(early.shown(), 'missed');
    early.link('n1');
    early.take({ event: 'status', node: 'n1', faults: [report('n1', 'armed')], complete: true });
    assert.deepEqual(early.drain(), ['n1 heal']);

    const late = new Bench();
    late.apply(recover(startState('me', EXAMPLE_TOPOLOGY, false, firing), late.now()));
    for (const node of ['n1', 'n2']) {
      const clock = { offsetMs: 0, uncertaintyMs: 0, roundTripMs: 1 };
      late.take({ event: 'linkUp', node, clock, coordinatorAddresses: [] });
      late.take({ event: 'status', node, faults: [report(node, 'active')], complete: true });
    }
    assert.equal(late.shown(), 'active');
    assert.deepEqual(late.drain(), []);
  });

  it('heals its own that nobody wants, forgets its ended ones, leaves others alone', () => {
    const bench = new Bench().link('n1');
    bench.reports(
      report('n1', 'active', { id: 'orphan' }),
      report('n1', 'healed', { id: 'tombstone' }),
      report('n1', 'active', { id: 'theirs', owner: 'other' }),
    );
    const sent = bench.sent.flatMap(({ command }) =>
      command.command === 'leases' ? [] : [`${command.command} ${command.id}`],
    );
    assert.deepEqual(sent, ['heal orphan', 'forget tombstone']);
  });

  it('renews exactly the leases of what still stands', () => {
    const bench = new Bench().link('n1', 'n2');
    bench.create(noop({ lease: '9s' }));
    bench.reports(report('n1', 'armed'), report('n2', 'armed'));
    bench.reports(report('n1', 'active'), report('n2', 'active'));
    for (const { node, command } of bench.sent)
      if (command.command === 'leases') bench.take({ event: 'answer', node, command, status: 200 });
    bench.sent = [];
    bench.wait(3_100);
    const leases = bench.sent.map(({ command }) => command);
    assert.deepEqual(leases, [
      { command: 'leases', owner: 'me', faults: [{ id: 'f1', instance: 1 }] },
      { command: 'leases', owner: 'me', faults: [{ id: 'f1', instance: 1 }] },
    ]);
    bench.take({ event: 'heal', id: 'f1' });
    bench.sent = [];
    bench.wait(9_000);
    for (const { command } of bench.sent)
      if (command.command === 'leases') assert.deepEqual(command.faults, []);
  });

  it('ends every fault, and never fires after an end, whatever the agents do', () => {
    for (let seed = 1; seed <= 300; seed++) playAtRandom(seed);
  });
});

/** Agents that answer with whatever state they like: the machine has to come to an end with each. */
function playAtRandom(seed: number): void {
  const random = new Random(seed);
  const bench = new Bench().link('n1', 'n2');
  bench.create(noop({ ...(random.below(2) ? { after: '3s' } : {}), lease: '5s' }));
  const agents = new Map<string, AgentFaultStatus>();
  for (let turn = 0; turn < 60; turn++) {
    const node = random.pick(['n1', 'n2']);
    const known = agents.get(node);
    const isUp = bench.state.links.get(node)?.up === true;
    switch (random.below(6)) {
      case 0:
        bench.take({ event: 'linkDown', node });
        break;
      case 1:
        if (isUp) break;
        bench.link();
        bench.take({
          event: 'linkUp',
          node,
          clock: { offsetMs: 0, uncertaintyMs: 0, roundTripMs: 1 },
          coordinatorAddresses: [],
        });
        bench.take({ event: 'status', node, faults: known ? [known] : [], complete: true });
        break;
      case 2:
        if (turn > 40) bench.take({ event: 'heal', id: 'f1' });
        break;
      default:
        bench.wait(random.below(1_500));
    }
    for (const { node: to, command } of bench.sent.splice(0)) {
      const there = agents.get(to);
      if (command.command === 'arm' && !there) agents.set(to, report(to, 'armed'));
      if (command.command === 'fire') {
        assert.equal(there?.state, 'armed', `seed ${seed}: fired what is ${there?.state}`);
        agents.set(to, report(to, 'active', { firedAtBootMs: command.atBootMs }));
      }
      if (command.command === 'heal' && there) {
        const state = there.firedAtBootMs === undefined ? 'cancelled' : 'healed';
        agents.set(to, report(to, state, { endedBy: 'request' }));
      }
      if (command.command === 'forget') agents.delete(to);
      // Some answers and pushes are lost; the next link tells all.
      if (random.below(4) === 0) continue;
      bench.take({ event: 'answer', node: to, command, status: 200 });
      const now = agents.get(to);
      if (now) bench.reports(now);
    }
    const wake = nextWakeBootMs(bench.state, bench.now());
    assert.ok(wake === undefined || wake > bench.nowMs, `seed ${seed}: wakes at once, for ever`);
  }
  bench.take({ event: 'heal', id: 'f1' });
  for (let round = 0; round < 20; round++) {
    for (const node of ['n1', 'n2']) {
      bench.take({ event: 'linkDown', node });
      bench.take({
        event: 'linkUp',
        node,
        clock: { offsetMs: 0, uncertaintyMs: 0, roundTripMs: 1 },
        coordinatorAddresses: [],
      });
      const known = agents.get(node);
      bench.take({ event: 'status', node, faults: known ? [known] : [], complete: true });
    }
    for (const { node: to, command } of bench.sent.splice(0)) {
      if (command.command === 'heal' && agents.has(to))
        agents.set(to, report(to, 'healed', { endedBy: 'request' }));
      if (command.command === 'forget') agents.delete(to);
    }
    bench.wait(3_000);
  }
  assert.equal(bench.state.faults.size, 0, `seed ${seed}: ${bench.shown()}`);
  assert.ok(hasEnded(bench.shown()), `seed ${seed}`);
  assert.equal(agents.size, 0, `seed ${seed}: tombstones are left`);
}
