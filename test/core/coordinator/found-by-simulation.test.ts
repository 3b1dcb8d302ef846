import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit } from '../../../src/core/coordinator/admission.ts';
import type { MachineEvent, MachineState } from '../../../src/core/coordinator/machine-types.ts';
import { recover, startState, step } from '../../../src/core/coordinator/machine.ts';
import { newRecord, type FaultRecord } from '../../../src/core/coordinator/record.ts';
import { faultStatus, stateOf } from '../../../src/core/coordinator/status.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { AgentFaultStatus } from '../../../src/core/model/fault-status.ts';
import type { State } from '../../../src/core/model/lifecycle.ts';

const REQUEST = { id: 'f1', kind: 'noop', targets: ['n1', 'n2'], duration: '60s' };
const now = (bootMs: number) => ({ wallMs: 1_800_000_000_000 + bootMs, bootMs });

function report(node: string, state: State, more: Partial<AgentFaultStatus> = {}) {
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
    problems: [],
    openUndos: [],
    receipt: { effect: 'untestable' as const, says: '', notes: [] },
    ...more,
  };
}

/** A machine, what it has on its disk, and what it last sent. */
class Small {
  state: MachineState = startState('me', EXAMPLE_TOPOLOGY, false, []);
  disk = new Map<string, FaultRecord>();
  sent: string[] = [];
  bootMs = 1_000;

  take(event: MachineEvent): void {
    this.apply(step(this.state, event, now(this.bootMs)));
  }

  apply({ state, effects }: ReturnType<typeof step>): void {
    this.state = state;
    for (const effect of effects) {
      if (effect.effect === 'save') this.disk.set(effect.record.id, structuredClone(effect.record));
      if (effect.effect === 'send' && 'id' in effect.command) {
        const { command, id, instance } = effect.command;
        this.sent.push(`${effect.node} ${command} ${id}/${instance}`);
      }
      if (effect.effect === 'decided')
        this.take({ event: 'decided', id: effect.id, instance: effect.instance });
    }
  }

  link(node: string, faults: AgentFaultStatus[]): void {
    const clock = { offsetMs: 0, uncertaintyMs: 0, roundTripMs: 1 };
    this.take({ event: 'linkUp', node, clock, coordinatorAddresses: [] });
    this.take({ event: 'status', node, faults, complete: true });
  }

  say(...reports: AgentFaultStatus[]): void {
    for (const each of reports)
      this.take({ event: 'status', node: each.node, faults: [each], complete: false });
  }

  get shown(): State {
    const record = this.state.faults.get('f1') ?? this.disk.get('f1');
    assert.ok(record);
    return stateOf(record);
  }

  part(node: string): State | undefined {
    const record = this.state.faults.get('f1') ?? this.disk.get('f1');
    return record?.parts.find((part) => part.node === node)?.state;
  }
}

/** A fault on two nodes, as far as firing. */
function firing(): Small {
  const small = new Small();
  for (const node of ['n1', 'n2']) small.link(node, []);
  const world = { topology: EXAMPLE_TOPOLOGY, limits: {}, capabilities: new Map(), standing: [] };
  const admitted = admit(REQUEST, { id: 'f1', instance: 1 }, world);
  assert.ok(admitted.ok);
  small.take({ event: 'create', record: newRecord(REQUEST, now(small.bootMs), admitted.value) });
  small.say(report('n1', 'armed'), report('n2', 'armed'));
  return small;
}

test('an early end on one node is the end everywhere, and nothing is active again', () => {
  const small = firing();
  small.say(report('n1', 'active'), report('n2', 'active'));
  small.sent.length = 0;
  small.say(report('n1', 'healing', { endedBy: 'agentRestart' }));
  assert.equal(small.shown, 'healing');
  assert.deepEqual(small.sent, ['n2 heal f1/1']);
  small.say(report('n1', 'healed', { endedBy: 'agentRestart' }));
  assert.equal(small.shown, 'healing');
  small.say(report('n2', 'healed', { endedBy: 'request' }));
  assert.equal(small.shown, 'healed');
  const shown = faultStatus(small.disk.get('f1') as FaultRecord, 'me');
  assert.equal(shown.endedBy, 'agentRestart');
  assert.match(shown.problems[0]?.message ?? '', /n1: ended early, by agentRestart/);
});

test('a node that lost the last words of its journal in a power cut has stood all the same', () => {
  const small = firing();
  small.say(report('n1', 'active', { firedAtBootMs: 1_050 }), report('n2', 'active'));
  small.say(report('n1', 'cancelled', { endedBy: 'reboot' }));
  assert.equal(small.part('n1'), 'healed');
  assert.equal(small.shown, 'healing');
});

test('what was being fired when the coordinator was killed is not called cancelled unheard', () => {
  const before = firing();
  const small = new Small();
  // The decision is on the disk; the instant, set right after it, is not.
  const record = structuredClone(before.disk.get('f1')) as FaultRecord;
  delete record.fireAtBootMs;
  small.apply(recover(startState('me', EXAMPLE_TOPOLOGY, false, [record]), now(small.bootMs)));
  small.link('n2', [report('n2', 'armed')]);
  small.bootMs += 10_000;
  small.take({ event: 'tick' });
  small.say(report('n2', 'cancelled', { endedBy: 'request' }));
  small.bootMs += 10_000;
  small.take({ event: 'tick' });
  assert.notEqual(small.part('n1'), 'cancelled');
  small.link('n1', [report('n1', 'healed', { endedBy: 'lease', firedAtBootMs: 1_050 })]);
  assert.equal(small.part('n1'), 'healed');
});

test('tombstones of earlier occurrences hide nothing, and all are forgotten', () => {
  const small = new Small();
  const ended = [3, 2].map((instance) => report('n1', 'healed', { instance }));
  small.link('n1', ended);
  assert.deepEqual(small.sent.toSorted(), ['n1 forget f1/2', 'n1 forget f1/3']);
});

test('what was armed everywhere and then lost by a node is missed, not refused', () => {
  const small = firing();
  const record = structuredClone(small.disk.get('f1')) as FaultRecord;
  const resolution = { ...record.resolution, live: true } as NonNullable<FaultRecord['resolution']>;
  const again = new Small();
  for (const node of ['n1', 'n2']) again.link(node, []);
  const fresh = newRecord(REQUEST, now(again.bootMs), resolution);
  again.take({ event: 'create', record: fresh });
  again.say(report('n1', 'armed'), report('n2', 'armed'));
  assert.equal(again.shown, 'armed');
  again.say(report('n2', 'cancelled', { endedBy: 'agentRestart' }));
  again.say(report('n1', 'cancelled', { endedBy: 'request' }));
  assert.equal(again.shown, 'missed');
});
