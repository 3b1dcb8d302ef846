import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  checkFault,
  kindNamed,
  KINDS,
  type RequestedFault,
} from '../../../src/core/faults/registry.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';

const paths = (request: RequestedFault): string[] =>
  checkFault(request, EXAMPLE_TOPOLOGY).map((problem) => problem.path);

const partition = (groups: string[][], more: object = {}): RequestedFault => ({
  kind: 'network.partition',
  params: { groups },
  ...more,
});

suite('requests', () => {
  test('kinds are found by name; a near miss is offered', () => {
    for (const kind of KINDS) assert.equal(kindNamed(kind.kind), kind);
    const [problem] = checkFault({ kind: 'network.partitoin' }, EXAMPLE_TOPOLOGY);
    assert.equal(problem?.nearMiss, 'network.partition');
  });

  test('good ones have no problems', () => {
    assert.deepEqual(paths(partition([['n1'], ['n2', 'n3']])), []);
    assert.deepEqual(paths({ kind: 'noop', targets: 'all' }), []);
    assert.deepEqual(
      paths({ kind: 'process.kill', targets: 'n1', params: { restart: 'never' } }),
      [],
    );
    assert.deepEqual(paths({ kind: 'noop', targets: 'all', lease: 'none', duration: '5s' }), []);
    assert.deepEqual(paths({ kind: 'noop', targets: 'all', every: '10s', duration: '5s' }), []);
    const halves = { kind: 'network.partition', params: { shape: 'halves' } };
    assert.deepEqual(paths(halves), []);
    assert.deepEqual(paths({ ...halves, targets: 'n1' }), []);
  });

  test('targets: missing, and where there must be none', () => {
    assert.deepEqual(paths({ kind: 'noop' }), ['/targets']);
    assert.deepEqual(paths(partition([['n1'], ['n2']], { targets: 'n1' })), ['/targets']);
    assert.deepEqual(paths({ kind: 'network.partition', params: { shape: 'isolate' } }), [
      '/targets',
    ]);
  });

  test('times', () => {
    assert.deepEqual(paths({ kind: 'noop', targets: 'all', lease: 'none' }), ['/duration']);
    assert.deepEqual(paths({ kind: 'noop', targets: 'all', duration: '0s' }), ['/duration']);
    assert.deepEqual(paths({ kind: 'noop', targets: 'all', every: '5s' }), ['/duration']);
    const loop = { kind: 'noop', targets: 'all', every: '5s', duration: '5s' };
    assert.deepEqual(paths(loop), ['/duration']);
    const once = { kind: 'process.kill', targets: 'n1', params: { restart: 'never' } };
    assert.deepEqual(paths({ ...once, duration: '5s' }), ['/duration']);
    assert.deepEqual(paths({ ...once, every: '5s' }), []);
  });

  test('groups: unknown nodes, twice, one group, an empty one: all at once', () => {
    const problems = checkFault(partition([['n1', 'n11', 'n1'], []]), EXAMPLE_TOPOLOGY);
    const found = problems.map(({ path, nearMiss }) => [path, nearMiss]);
    assert.deepEqual(found, [
      ['/params/groups/0/1', 'n1'],
      ['/params/groups/0/2', undefined],
      ['/params/groups/1', undefined],
    ]);
    assert.deepEqual(paths(partition([['n1', 'n2']])), ['/params/groups']);
    assert.deepEqual(paths(partition([])), ['/params/groups']);
  });

  test('groups and shapes exclude each other, and each has its own fields', () => {
    const of = (params: object): string[] =>
      paths({ kind: 'network.partition', params: { ...params }, targets: 'n1' });
    assert.ok(of({}).includes('/params/groups'));
    assert.ok(of({ shape: 'isolate', groups: [['n1'], ['n2']] }).includes('/params/shape'));
    assert.deepEqual(of({ shape: 'isolate', direction: 'inbound' }), ['/params/direction']);
    assert.ok(of({ groups: [['n1'], ['n2']], clients: 'cut' }).includes('/params/clients'));
    assert.deepEqual(of({ shape: 'isolat' }), ['/params/shape']);
    const two = { name: 'two', nodes: EXAMPLE_TOPOLOGY.nodes.slice(0, 2) };
    for (const shape of ['majorities-ring', 'bridge']) {
      const problems = checkFault({ kind: 'network.partition', params: { shape } }, two);
      assert.deepEqual(
        problems.map(({ path }) => path),
        ['/params/shape'],
        shape,
      );
    }
  });

  test('processes and CPUs: what the schemas cannot say', () => {
    const of = (kind: string, params: Record<string, unknown>): string[] =>
      paths({ kind, params, targets: 'n1' });
    assert.deepEqual(of('process.kill', { process: { expect: 2 } }), ['/params/process']);
    const byPort = { process: { listens: 9092 }, restart: 'heal' };
    assert.deepEqual(of('process.kill', byPort), ['/params/restart']);
    assert.deepEqual(of('process.pause', { duty: { on: '5ms', off: '1s' } }), ['/params/duty/on']);
    assert.deepEqual(of('process.pause', { duty: { on: '1s' } }), ['/params/duty/off']);
    assert.deepEqual(of('process.pause', { duty: { on: '1s', off: '25d' } }), ['/params/duty/off']);
    assert.deepEqual(of('cpu.load', { share: 0 }), ['/params/share']);
    assert.deepEqual(of('cpu.load', { share: '150%' }), ['/params/share']);
    assert.deepEqual(of('cpu.load', { workers: 0 }), ['/params/workers']);
    assert.deepEqual(of('cpu.load', { worker: 1 }), ['/params/worker']);
  });
});
