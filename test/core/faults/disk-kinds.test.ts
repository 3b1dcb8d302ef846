import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { compileRules, matchesPath } from '../../../src/core/disk/rule.ts';
import type { Fault } from '../../../src/core/disk/specification.ts';
import { checkFault, kindNamed } from '../../../src/core/faults/registry.ts';
import type { Problem } from '../../../src/core/base/problem.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';
import type { FaultKind, Step } from '../../../src/core/model/fault.ts';
import type { Answer } from '../../../src/core/model/query.ts';
import type { DiskMountFacts } from '../../../src/core/model/query-disk.ts';
import { CASES, hereOf, type Case } from '../../conformance/cases.ts';

const mount = (mountPoint: string, more: Partial<DiskMountFacts> = {}): DiskMountFacts => ({
  mountPoint,
  target: mountPoint,
  alive: true,
  tracking: true,
  ...more,
});

function planned(name: string, params: object, facts: Answer[]): Step[] | Problem[] {
  const kind = kindNamed(name) as FaultKind;
  const each = CASES.find((one) => one.kind === kind) as Case;
  return kind.plan(params, hereOf(each, 'n1'), facts);
}

function onMounts(params: object, mounts: DiskMountFacts[]): Step | Problem {
  const [part] = planned('disk.error', { errno: 'EIO', ...params }, [
    { query: 'diskMounts', mounts },
  ]);
  assert.ok(part);
  return part;
}

/** Which of the paths the file system would touch. */
function touched(params: object, paths: readonly string[]): string[] {
  const step = onMounts(params, [mount('/d')]);
  assert.ok('act' in step && step.act.act === 'disk.fault');
  const fault = { id: 'x', ...step.act.entry } as unknown as Fault;
  const [rule] = compileRules({ faults: [{ fault, seed: 1, place: 0 }], tracks: false });
  assert.ok(rule);
  return paths.filter((path) => matchesPath(rule, path));
}

const SEGMENT = 'orders-3/00000000000000000000';
const PATHS = [
  `${SEGMENT}.log`,
  `data/${SEGMENT}.log`,
  `${SEGMENT}.index`,
  `${SEGMENT}.timeindex`,
  `${SEGMENT}.txnindex`,
  `${SEGMENT}.snapshot`,
  'orders-3/leader-epoch-checkpoint',
  'recovery-point-offset-checkpoint.tmp',
  '__cluster_metadata-0/00000000000000000000.log',
  '__cluster_metadata-0/quorum-state.tmp',
  '__cluster_metadata-0/00000000000000000123-0000000001.checkpoint',
  'meta.properties',
];

suite('files in the words of Kafka', () => {
  const expected: Record<string, number[]> = {
    log: [0, 1],
    index: [2],
    timeindex: [3],
    txnindex: [4],
    snapshots: [5],
    checkpoints: [6, 7],
    'quorum-state': [9],
    'metadata-log': [8, 10],
  };
  for (const [preset, places] of Object.entries(expected)) {
    test(preset, () => {
      const names = places.map((place) => PATHS[place]);
      assert.deepEqual(touched({ preset }, PATHS), names);
    });
  }

  test('of some topic-partitions', () => {
    const paths = ['orders-3', 'orders-30', 'payments-3'].map((one) => `${one}/1.log`);
    const of = (...topicPartitions: string[]): string[] =>
      touched({ preset: 'log', topicPartitions }, paths);
    assert.deepEqual(of('orders-3'), ['orders-3/1.log']);
    assert.deepEqual(of('orders-*'), ['orders-3/1.log', 'orders-30/1.log']);
    assert.deepEqual(of('*-3'), ['orders-3/1.log', 'payments-3/1.log']);
  });

  test('what can not be meant is refused, at its place', () => {
    const problems = (params: object): string[] =>
      checkFault(
        { kind: 'disk.error', targets: 'n1', params: { errno: 'EIO', ...params } },
        EXAMPLE_TOPOLOGY,
      ).map(({ path }) => path);
    assert.deepEqual(problems({ preset: 'log' }), []);
    assert.deepEqual(problems({ preset: 'log', match: { path: ['*'] } }), ['/params/match/path']);
    assert.deepEqual(problems({ topicPartitions: ['a-1'] }), ['/params/topicPartitions']);
    assert.deepEqual(problems({ preset: 'log', topicPartitions: ['a/b'] }), [
      '/params/topicPartitions/0',
    ]);
    assert.deepEqual(problems({ preset: 'checkpoints', topicPartitions: ['a-1'] }), [
      '/params/topicPartitions',
    ]);
    assert.deepEqual(problems({ match: { path: ['[a'], range: [{ from: 2, to: 1 }] } }), [
      '/params/match/path/0',
      '/params/match/range/0',
    ]);
    assert.deepEqual(problems({ errno: 'ENOSYS' }), ['/params/errno']);
  });
});

suite('which file system is meant', () => {
  const pointOf = (part: Step | Problem): string =>
    'act' in part && part.act.act === 'disk.fault' ? part.act.mountPoint : '';

  test('the only one, or the one that holds the directory', () => {
    const two = [mount('/kafka'), mount('/kafka/d1')];
    assert.equal(pointOf(onMounts({}, [mount('/kafka')])), '/kafka');
    assert.equal(pointOf(onMounts({ directory: '/kafka/d1/orders-0/' }, two)), '/kafka/d1');
    assert.equal(pointOf(onMounts({ directory: '/kafka//./d10' }, two)), '/kafka');
  });

  test('none, several, or a dead one is refused, and why', () => {
    const message = (params: object, mounts: DiskMountFacts[]): string =>
      (onMounts(params, mounts) as Problem).message;
    assert.match(message({}, []), /no file system of ours is mounted/);
    assert.match(message({}, [mount('/a'), mount('/b')]), /2 file systems .* say which/);
    assert.match(message({ directory: '/c' }, [mount('/a')]), /holds \/c/);
    assert.match(message({}, [mount('/a', { alive: false })]), /process of \/a is dead/);
  });

  test('a power cut needs mounts that know what is unsynced', () => {
    const process = { bootId: 'b', pidNamespace: 1, pid: 42, birthTicks: 1 };
    const facts = (...mounts: DiskMountFacts[]): Answer[] => [
      {
        query: 'processes',
        processes: [{ process, commandLine: 'java kafka.Kafka', state: 'S' }],
      },
      { query: 'service', known: true, startable: true, running: [process] },
      { query: 'diskMounts', mounts },
    ];
    const acts = (planned('disk.powercut', {}, facts(mount('/a'), mount('/b'))) as Step[]).map(
      ({ act }) => (act.act === 'disk.powercut' ? act.mountPoint : act.act),
    );
    assert.deepEqual(acts, ['process.signal', '/a', '/b']);
    const forgetful = mount('/b', { tracking: false });
    const problems = planned('disk.powercut', {}, facts(mount('/a'), forgetful)) as Problem[];
    assert.match(problems.map(({ message }) => message).join(), /at \/b does not know/);
    const [none] = planned('disk.powercut', {}, facts()) as Problem[];
    assert.match(none?.message ?? '', /no file system of ours/);
  });

  test('room on a tmpfs is memory: taken where it is meant, and never all of it', () => {
    const space = { device: '1', totalBytes: 8e9, availableBytes: 8e9, ownState: false };
    const filled = (params: object, memoryBytes: number): Step | Problem => {
      const answer = { ...space, ours: false, memoryBytes };
      const all = { directory: '/dev/shm/kafka', ...params };
      const [part] = planned('disk.fill', all, [{ query: 'diskSpace', space: answer }]);
      assert.ok(part);
      return part;
    };
    assert.match(JSON.stringify(filled({}, 16e9)), /memory of this machine.*'memory': true/);
    assert.ok('act' in filled({ memory: true }, 16e9));
    assert.match(JSON.stringify(filled({ memory: true }, 8e9)), /too little left to the machine/);
    assert.ok('act' in filled({ memory: true, share: '50%' }, 8e9));
  });
});
