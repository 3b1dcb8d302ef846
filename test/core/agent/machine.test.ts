import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { guardDue, nextDue } from '../../../src/core/agent/due.ts';
import type { AgentEffect, AgentEvent, AgentReply } from '../../../src/core/agent/event.ts';
import { initialState, latest, type AgentState } from '../../../src/core/agent/state.ts';
import { step } from '../../../src/core/agent/step.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { AgentFaultRequest } from '../../../src/core/model/fault-request.ts';
import { NEEDS } from '../../../src/core/model/fault.ts';
import type { Answer } from '../../../src/core/model/query.ts';
import { TRANSITIONS, type State } from '../../../src/core/model/lifecycle.ts';

/** The machine alone, with hands that answer when the test says so. */
class Machine {
  state: AgentState;
  nowMs = 1_000;
  effects: AgentEffect[] = [];
  readonly states: State[] = [];
  #ticket = 0;

  constructor() {
    this.state = initialState({
      node: 'n1',
      bootId: 'boot',
      agentPort: 8611,
      ownNodes: EXAMPLE_TOPOLOGY.nodes.slice(0, 1),
      limits: { faults: 4, tombstones: 3 },
    });
    const capabilities = NEEDS.map((need) => ({ need, met: true, why: 'test' }));
    this.send({ event: 'probed', capabilities });
  }

  send(event: AgentEvent): AgentEffect[] {
    const { state, effects } = step(this.state, event, this.nowMs);
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects)
      if (effect.effect === 'status' && this.states.at(-1) !== effect.status.state)
        this.states.push(effect.status.state);
    return effects;
  }

  ask(event: Record<string, unknown>): AgentReply | undefined {
    const ticket = ++this.#ticket;
    const replies = this.send({ ...event, ticket } as unknown as AgentEvent);
    return replies.findLast((effect) => effect.effect === 'reply' && effect.ticket === ticket)
      ?.effect === 'reply'
      ? this.reply(ticket)
      : undefined;
  }

  reply(ticket: number): AgentReply | undefined {
    const found = this.effects.find(
      (effect) => effect.effect === 'reply' && effect.ticket === ticket,
    );
    return found?.effect === 'reply' ? found.reply : undefined;
  }

  get lastTicket(): number {
    return this.#ticket;
  }

  /** The effect a fault waits for. */
  waiting(id: string): { effect: AgentEffect; key: string; serial: number } {
    const fault = latest(this.state.faults, id);
    const serial = fault?.doing?.serial ?? -1;
    const effect = this.effects.find((each) => 'serial' in each && each.serial === serial);
    assert.ok(fault && effect, `fault ${id} waits for nothing`);
    return { effect, key: fault.key, serial };
  }

  done(id: string): void {
    const { effect, key, serial } = this.waiting(id);
    if (effect.effect === 'journal') this.send({ event: 'journaled', key, serial, record: serial });
    else if (effect.effect === 'perform') this.send({ event: 'done', key, serial });
    else assert.fail(`${effect.effect} has an answer`);
  }

  answer(id: string, answer: Answer): void {
    const { key, serial } = this.waiting(id);
    this.send({ event: 'answered', key, serial, answers: [answer] });
  }

  fail(id: string, code = 'broken'): void {
    const { key, serial } = this.waiting(id);
    this.send({ event: 'failed', key, serial, code, message: `it is ${code}`, definite: false });
  }

  at(nowMs: number): void {
    this.nowMs = nowMs;
    this.send({ event: 'tick' });
  }

  stateOf(id: string): State | undefined {
    return latest(this.state.faults, id)?.state;
  }

  endedBy(id: string): string | undefined {
    return latest(this.state.faults, id)?.cause?.why;
  }
}

function noop(
  id: string,
  more: Partial<AgentFaultRequest> = {},
  armOnly = true,
): AgentFaultRequest {
  return {
    id,
    kind: 'noop',
    targets: ['n1'],
    context: {
      owner: 'coordinator-1',
      instance: 1,
      topology: EXAMPLE_TOPOLOGY,
      selected: ['n1'],
      coordinatorAddresses: [],
      armOnly,
      seed: '1',
    },
    ...more,
  };
}

function armed(machine: Machine, request: AgentFaultRequest): void {
  machine.ask({ event: 'create', request, dryRun: false });
  machine.done(request.id);
  assert.equal(machine.stateOf(request.id), 'armed');
}

function active(machine: Machine, request: AgentFaultRequest): void {
  armed(machine, request);
  machine.ask({ event: 'fire', id: request.id, instance: 1, atBootMs: machine.nowMs });
  machine.done(request.id);
  assert.equal(machine.stateOf(request.id), 'active');
}

suite('arming', () => {
  test('performs nothing, and journals before it answers', () => {
    const machine = new Machine();
    assert.equal(machine.ask({ event: 'create', request: noop('a'), dryRun: false }), undefined);
    assert.deepEqual(
      machine.effects.filter((effect) => effect.effect !== 'status').map((each) => each.effect),
      ['journal'],
    );
    machine.done('a');
    assert.equal(machine.reply(machine.lastTicket)?.status, 201);
    assert.ok(!machine.effects.some((effect) => effect.effect === 'perform'));
    assert.equal(guardDue(machine.state), undefined);
  });

  test('a journal that cannot be written refuses, and leaves nothing', () => {
    const machine = new Machine();
    machine.ask({ event: 'create', request: noop('a'), dryRun: false });
    machine.fail('a');
    assert.equal(machine.reply(machine.lastTicket)?.status, 422);
    assert.equal(machine.state.faults.size, 0);
  });

  test('names every problem at once', () => {
    const machine = new Machine();
    const { context: _context, ...alone } = noop('a', {
      kind: 'nooop',
      duration: '100h',
      targets: ['n9'],
    });
    const reply = machine.ask({ event: 'create', request: alone, dryRun: false });
    assert.ok(reply && 'problems' in reply);
    assert.deepEqual(reply.problems?.map((problem) => problem.path).sort(), [
      '/duration',
      '/kind',
      '/targets',
    ]);
  });

  test('a need that is not met is named, with why', () => {
    const machine = new Machine();
    machine.send({
      event: 'probed',
      capabilities: [{ need: 'cpu.burn', met: false, why: 'no CPU at all' }],
    });
    const request = noop('a', { kind: 'cpu.load', params: {} });
    const reply = machine.ask({ event: 'create', request, dryRun: false });
    assert.match(JSON.stringify(reply), /cpu\.burn.*no CPU at all/);
  });

  test('the same id: same spec is the same fault, another spec or owner a conflict', () => {
    const machine = new Machine();
    armed(machine, noop('a'));
    const again = (request: AgentFaultRequest): number | undefined =>
      machine.ask({ event: 'create', request, dryRun: false })?.status;
    assert.equal(again(noop('a')), 200);
    assert.equal(again(noop('a', { duration: '5s' })), 409);
    const context = {
      ...noop('a').context,
      owner: 'coordinator-2',
    } as AgentFaultRequest['context'];
    assert.equal(again(noop('a', { context })), 409);
  });

  test('bounded: as many faults as the limit, and no more', () => {
    const machine = new Machine();
    for (const id of ['a', 'b', 'c', 'd']) armed(machine, noop(id));
    const reply = machine.ask({ event: 'create', request: noop('e'), dryRun: false });
    assert.equal(reply?.status, 409);
  });

  test('a dry run plans, answers, and keeps nothing', () => {
    const machine = new Machine();
    const reply = machine.ask({ event: 'create', request: noop('a'), dryRun: true });
    assert.equal(reply?.status, 200);
    assert.equal(machine.state.faults.size, 0);
    assert.ok(!machine.effects.some((effect) => effect.effect === 'journal'));
  });

  test('nobody fires it: given up, and nothing is undone', () => {
    const machine = new Machine();
    armed(machine, noop('a', { lease: '10m' }));
    machine.at(nextDue(machine.state)?.atMs ?? 0);
    assert.equal(machine.stateOf('a'), 'missed');
    assert.ok(!machine.effects.some((effect) => effect.effect === 'perform'));
  });
});

suite('firing', () => {
  test('waits for its instant, and only then acts', () => {
    const machine = new Machine();
    armed(machine, noop('a', { duration: '10s' }));
    assert.equal(
      machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: 5_000 })?.status,
      202,
    );
    assert.deepEqual(nextDue(machine.state), { atMs: 5_000, precise: true });
    machine.at(4_999.9);
    assert.ok(!machine.effects.some((effect) => effect.effect === 'perform'));
    machine.at(5_000);
    assert.ok(machine.effects.some((effect) => effect.effect === 'perform'));
    assert.equal(guardDue(machine.state), 15_000);
    machine.done('a');
    assert.deepEqual(machine.states, ['arming', 'armed', 'active']);
  });

  test('an instant long gone is missed', () => {
    const machine = new Machine();
    machine.nowMs = 10_000;
    armed(machine, noop('a'));
    const reply = machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: 8_000 });
    assert.equal(reply?.status, 409);
    assert.equal(machine.stateOf('a'), 'missed');
  });

  test('never twice', () => {
    const machine = new Machine();
    active(machine, noop('a'));
    assert.equal(machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: 1 })?.status, 200);
    machine.ask({ event: 'heal', id: 'a' });
    machine.done('a');
    assert.equal(machine.stateOf('a'), 'healed');
    assert.equal(machine.ask({ event: 'create', request: noop('a'), dryRun: false })?.status, 200);
    machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: machine.nowMs });
    assert.equal(machine.stateOf('a'), 'healed');
  });

  test('an agent held up past the instant misses it, and fires nothing late', () => {
    const machine = new Machine();
    armed(machine, noop('a', { lease: '10m' }));
    machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: 5_000 });
    machine.at(7_000);
    assert.equal(machine.stateOf('a'), 'missed');
    assert.ok(!machine.effects.some((effect) => effect.effect === 'perform'));
  });

  test('an act that fails heals what was begun, and says so', () => {
    const machine = new Machine();
    armed(machine, noop('a'));
    machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: machine.nowMs });
    machine.fail('a');
    assert.equal(machine.stateOf('a'), 'healing');
    machine.done('a');
    assert.equal(machine.stateOf('a'), 'failed');
    assert.equal(latest(machine.state.faults, 'a')?.error, 'it is broken');
  });
});

suite('ending', () => {
  test('by its deadline', () => {
    const machine = new Machine();
    active(machine, noop('a', { duration: '10s' }));
    machine.at(10_999);
    assert.equal(machine.stateOf('a'), 'active');
    machine.at(11_000);
    machine.done('a');
    assert.equal(machine.endedBy('a'), 'deadline');
  });

  test('by its lease, which a message queued behind its end does not renew', () => {
    const machine = new Machine();
    active(machine, noop('a'));
    machine.nowMs = 1_000 + 60_000;
    const named = [{ id: 'a', instance: 1 }];
    const reply = machine.ask({ event: 'leases', owner: 'coordinator-1', faults: named });
    assert.deepEqual(reply && 'body' in reply && reply.body, { renewed: [], healing: ['a'] });
    machine.done('a');
    assert.equal(machine.endedBy('a'), 'lease');
  });

  test('of several reasons the first one counts, however late the agent wakes', () => {
    const machine = new Machine();
    active(machine, noop('a', { duration: '10s', lease: '5s' }));
    machine.at(1_000_000);
    machine.done('a');
    assert.equal(machine.endedBy('a'), 'lease');
  });

  test('what its owner no longer names heals; what others own stands', () => {
    const machine = new Machine();
    active(machine, noop('a'));
    active(machine, noop('b'));
    const context = {
      ...noop('c').context,
      owner: 'coordinator-2',
    } as AgentFaultRequest['context'];
    active(machine, noop('c', { context }));
    const named = [{ id: 'a', instance: 1 }];
    const reply = machine.ask({ event: 'leases', owner: 'coordinator-1', faults: named });
    assert.deepEqual(reply && 'body' in reply && reply.body, { renewed: ['a'], healing: ['b'] });
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => machine.stateOf(id)),
      ['active', 'healing', 'active'],
    );
  });

  test('lease none: to its deadline, whatever nobody says', () => {
    const machine = new Machine();
    active(machine, noop('a', { lease: 'none', duration: '1h' }));
    machine.at(3_600_999);
    assert.equal(machine.stateOf('a'), 'active');
    machine.at(3_601_000);
    machine.done('a');
    assert.equal(machine.endedBy('a'), 'deadline');
  });

  test('an undo that fails: stuck, tried again later and later, until it works', () => {
    const machine = new Machine();
    active(machine, noop('a'));
    machine.ask({ event: 'heal', id: 'a' });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      machine.fail('a');
      assert.equal(machine.stateOf('a'), 'stuck');
      assert.equal(guardDue(machine.state), undefined, 'a stuck fault does not hang');
      const due = nextDue(machine.state)?.atMs ?? 0;
      waits.push(due - machine.nowMs);
      machine.at(due);
    }
    assert.deepEqual(waits, [500, 1_000, 2_000, 4_000]);
    machine.done('a');
    assert.equal(machine.stateOf('a'), 'healed');
    assert.equal(machine.endedBy('a'), 'request');
  });

  test('heal everything: all heal, new ones are refused until resume', () => {
    const machine = new Machine();
    active(machine, noop('a'));
    armed(machine, noop('b'));
    machine.ask({ event: 'healAll' });
    machine.done('a');
    assert.deepEqual([machine.stateOf('a'), machine.stateOf('b')], ['healed', 'cancelled']);
    const create = (): number | undefined =>
      machine.ask({ event: 'create', request: noop('c'), dryRun: false })?.status;
    assert.equal(create(), 409);
    machine.ask({ event: 'resume' });
    assert.equal(create(), undefined, 'it is being armed');
  });

  test('healing waits for an act under way, and undoes it', () => {
    const machine = new Machine();
    armed(machine, noop('a'));
    machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: machine.nowMs });
    machine.ask({ event: 'heal', id: 'a' });
    assert.equal(machine.effects.filter((effect) => effect.effect === 'perform').length, 1);
    machine.done('a');
    assert.equal(machine.effects.filter((effect) => effect.effect === 'perform').length, 2);
    machine.done('a');
    assert.equal(machine.stateOf('a'), 'healed');
  });

  test('healing waits for no process to start: the undo of such an act ends it', () => {
    for (const cause of ['lease', 'request'] as const) {
      const machine = new Machine();
      const params = { answer: 'nxdomain' };
      const request = noop('a', { kind: 'network.dns', params, lease: '3s' });
      machine.ask({ event: 'create', request, dryRun: false });
      machine.answer('a', { query: 'resolvers', addresses: ['192.0.2.53'] });
      machine.answer('a', { query: 'packetCounters', packets: {} });
      machine.done('a');
      machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: machine.nowMs });
      const start = machine.waiting('a');
      assert.equal(nextDue(machine.state)?.atMs, 4_000);
      if (cause === 'lease') machine.at(4_000);
      else machine.ask({ event: 'heal', id: 'a' });
      machine.answer('a', { query: 'packetCounters', packets: {} });
      const { effect } = machine.waiting('a');
      assert.deepEqual(effect.effect === 'perform' && effect.act.act, 'dns.stop');
      const failed = { message: 'it was killed', code: 'x', definite: false };
      machine.send({ event: 'failed', key: start.key, serial: start.serial, ...failed });
      machine.done('a');
      machine.answer('a', { query: 'packetCounters', packets: {} });
      assert.equal(machine.stateOf('a'), 'healed');
      assert.equal(machine.endedBy('a'), cause);
    }
  });

  test('tombstones are bounded, the oldest go', () => {
    const machine = new Machine();
    for (const id of ['a', 'b', 'c', 'd']) {
      active(machine, noop(id));
      machine.ask({ event: 'heal', id });
      machine.done(id);
    }
    assert.deepEqual(
      [...machine.state.faults.values()].map((fault) => fault.id),
      ['b', 'c', 'd'],
    );
    assert.equal(machine.effects.filter((effect) => effect.effect === 'forget').length, 1);
  });
});

test('every change of state is one of the table', () => {
  const machine = new Machine();
  const lives: ((id: string) => void)[] = [
    (id) => machine.ask({ event: 'heal', id }),
    (id) => {
      machine.done(id);
      machine.ask({ event: 'heal', id });
    },
    (id) => {
      machine.done(id);
      machine.ask({ event: 'fire', id, instance: 1, atBootMs: machine.nowMs });
      machine.fail(id);
      machine.fail(id);
      machine.at(nextDue(machine.state)?.atMs ?? 0);
      machine.done(id);
    },
  ];
  for (const [index, life] of lives.entries()) {
    machine.states.length = 0;
    machine.ask({ event: 'create', request: noop(`life-${index}`), dryRun: false });
    life(`life-${index}`);
    for (let place = 1; place < machine.states.length; place++) {
      const [from, to] = [machine.states[place - 1], machine.states[place]] as [State, State];
      assert.ok(TRANSITIONS[from].includes(to), `${from} -> ${to}`);
    }
  }
});

test('another boot: volatile undos are closed unexecuted', () => {
  const machine = new Machine();
  active(machine, noop('a'));
  const journal = machine.effects.find((effect) => effect.effect === 'journal');
  assert.ok(journal?.effect === 'journal');
  const { arm } = journal;
  const entries = [{ serial: 1, arm: { ...arm, bootId: 'earlier' }, progress: journal.progress }];
  const next = new Machine();
  next.send({ event: 'started', entries, by: 'agentRestart' });
  assert.ok(!next.effects.some((effect) => effect.effect === 'perform'));
  assert.equal(next.endedBy('a'), 'reboot');
});

test('recovery heals newest first, one after the other', () => {
  const machine = new Machine();
  for (const id of ['a', 'b', 'c']) active(machine, noop(id));
  const entries = machine.effects.flatMap((effect) =>
    effect.effect === 'journal'
      ? [{ serial: effect.serial, arm: effect.arm, progress: effect.progress }]
      : [],
  );
  const next = new Machine();
  next.send({ event: 'started', entries, by: 'agentRestart' });
  const order: string[] = [];
  for (let round = 0; round < 3; round++) {
    const busy = [...next.state.faults.values()].filter((fault) => fault.doing);
    assert.equal(busy.length, 1);
    const id = busy[0]?.id ?? '';
    order.push(id);
    next.done(id);
  }
  assert.deepEqual(order, ['c', 'b', 'a']);
});

suite('the effect', () => {
  test('what others did after the last look is seen in what stays of the fault', () => {
    const counts = (inForce: boolean, hits: number): Answer => {
      return { query: 'diskFault', inForce, matched: hits, hits };
    };
    const mount = { mountPoint: '/d', target: '/d', alive: true, tracking: true };
    for (const [last, effect] of [
      [0, 'untestable'],
      [3, 'seen'],
    ] as const) {
      const machine = new Machine();
      const request = noop('a', { kind: 'disk.error', params: { errno: 'EIO' } });
      machine.ask({ event: 'create', request, dryRun: false });
      machine.answer('a', { query: 'diskMounts', mounts: [mount] });
      machine.answer('a', counts(false, 0));
      machine.done('a');
      machine.ask({ event: 'fire', id: 'a', instance: 1, atBootMs: machine.nowMs });
      machine.done('a');
      machine.answer('a', counts(true, 0));
      machine.ask({ event: 'heal', id: 'a' });
      machine.answer('a', counts(true, 0));
      machine.done('a');
      machine.answer('a', counts(false, last));
      assert.equal(machine.stateOf('a'), 'healed');
      assert.equal(latest(machine.state.faults, 'a')?.receipt.effect, effect);
    }
  });
});
