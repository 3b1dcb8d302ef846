import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/core/base/problem.ts';
import { readTrogdorConfig, clusterOf } from '../../../src/core/trogdor/config.ts';
import { parseExactJson } from '../../../src/core/trogdor/json.ts';
import {
  faultsHere,
  faultsOf,
  nodesOf,
  readSpec,
  shownSpec,
} from '../../../src/core/trogdor/spec.ts';
import type { TaskFault, TaskSpec } from '../../../src/core/trogdor/task-class.ts';
import { readWorkerId } from '../../../src/core/trogdor/worker-id.ts';

function read(raw: object): TaskSpec {
  const spec = readSpec(raw);
  assert.ok('ok' in spec && spec.ok, JSON.stringify(spec));
  return spec.value;
}

function problems(raw: unknown): Problem[] {
  const spec = readSpec(raw);
  if ('unknownClass' in spec) return [spec.unknownClass];
  assert.ok(!spec.ok);
  return spec.problems;
}

test('whole numbers keep all their digits, comments are passed over, texts are left alone', () => {
  const parsed = parseExactJson(
    '{"id":9223372036854775807,/* one */"near":9007199254740993,// two\n"text":"9223372036854775807 // /* */","small":12}',
  );
  assert.deepEqual(parsed, {
    ok: true,
    value: {
      id: 9223372036854775807n,
      near: 9007199254740993n,
      text: '9223372036854775807 // /* */',
      small: 12,
    },
  });
  assert.equal(parseExactJson('{"id":').ok, false);
  assert.equal(parseExactJson('{"id": 1e400000000000000000}').ok, true);
});

// A pattern that walks to the end from every opening takes hours for these, and a daemon with them.
test('what is opened a hundred thousand times and never closed is read in one go', () => {
  const opened = [
    '"' + '\\"'.repeat(500_000),
    '"' + '\\"'.repeat(500_000) + '\\',
    '/* /'.repeat(250_000),
  ];
  for (const text of opened) assert.equal(parseExactJson(text).ok, false);
  for (const text of ['{}/*', '{}/*/', '{}/* *']) assert.equal(parseExactJson(text).ok, false);
  assert.deepEqual(parseExactJson('{}/**/ // end'), { ok: true, value: {} });
});

test('a whole number that no double holds is refused where it does not belong, by its digits', () => {
  const text = '{"class":"NoOpTaskSpec","durationMs":123456789012345678901}';
  const parsed = parseExactJson(text);
  assert.ok(parsed.ok);
  const [problem] = problems(parsed.value);
  assert.equal(problem?.path, '/durationMs');
  assert.match(problem?.found ?? '', /123456789012345678901/);
});

test('worker ids are 64-bit numbers, as decimal text', () => {
  const good = [9223372036854775807n, '9223372036854775807', -1, 0, '-9223372036854775808'];
  for (const id of good) assert.deepEqual(readWorkerId(id, ''), { ok: true, value: String(id) });
  for (const bad of [9223372036854775808n, 1.5, 'one', '', null, undefined, {}, '0x10'])
    assert.equal(readWorkerId(bad, '').ok, false);
});

test('a spec reads by the full or the short name of its class', () => {
  const partitions = [['n1'], ['n2', 'n3']];
  const spec = read({ class: 'NetworkPartitionFaultSpec', durationMs: 5, partitions });
  const full = 'org.apache.kafka.trogdor.fault.NetworkPartitionFaultSpec';
  assert.deepEqual(spec, { class: full, startMs: 0, durationMs: 5, partitions });
  assert.deepEqual(read({ ...spec, class: full }), spec);
  assert.deepEqual(nodesOf(spec, []), ['n1', 'n2', 'n3']);
  assert.deepEqual(faultsOf(spec, ['n1', 'n2', 'n3']), [
    { kind: 'network.partition', params: { groups: partitions } },
  ]);
});

test('it is as lenient as Trogdor, and no more', () => {
  const spec = read({
    class: 'ProcessStopFaultSpec',
    startMs: '7',
    durationMs: -3,
    nodeNames: 'n2',
    javaProcessName: 'kafka.Kafka',
  });
  assert.equal(spec.startMs, 7);
  assert.equal(spec.durationMs, 0);
  assert.deepEqual(spec['nodeNames'], ['n2']);
  assert.equal(read({ class: 'NoOpTaskSpec', startMs: 7.9, durationMs: null }).startMs, 7);
  assert.match(
    JSON.stringify(problems({ class: 'NoOpTaskSpec', startMs: 'x', durationMs: {}, more: 1 })),
    /startMs.*durationMs.*more|more.*startMs.*durationMs/,
  );
  assert.match(problems({ class: 'NoOpTaskSpecs' })[0]?.nearMiss ?? '', /NoOpTaskSpec/);
  assert.match(problems({})[0]?.message ?? '', /missing/);
  assert.match(problems([])[0]?.message ?? '', /object/);
});

test('a broker is found by its name, plain or written as a regular expression', () => {
  for (const javaProcessName of ['kafka.Kafka', 'kafka\\.Kafka']) {
    const spec = read({ class: 'ProcessStopFaultSpec', nodeNames: ['n1'], javaProcessName });
    assert.deepEqual(faultsOf(spec, ['n1']), [
      {
        kind: 'process.pause',
        params: { process: { javaName: 'kafka.Kafka', expect: 'some' } },
        targets: ['n1'],
      },
    ]);
  }
  assert.match(
    problems({ class: 'ProcessStopFaultSpec', nodeNames: ['n1'] })[0]?.message ?? '',
    /every JVM/,
  );
});

test('unreadable files are an error of a disk of ours, by prefix', () => {
  const files = { class: 'FilesUnreadableFaultSpec', nodeNames: ['n1'], mountPath: '/mnt/k' };
  const spec = read({ ...files, prefix: '/da*ta', errorCode: -5 });
  assert.deepEqual(faultsOf(spec, ['n1']), [
    {
      kind: 'disk.error',
      params: {
        errno: 'EIO',
        directory: '/mnt/k',
        match: { path: [String.raw`da\*ta**`], op: ['read'] },
      },
      targets: ['n1'],
    },
  ]);
  assert.equal(problems({ class: 'FilesUnreadableFaultSpec', errorCode: 9999 }).length, 2);
});

test('a degraded network is a delay and a rate a value, each of all nodes that have it', () => {
  const spec = read({
    class: 'DegradedNetworkFaultSpec',
    nodeSpecs: {
      n2: { networkDevice: 'eth0', latencyMs: 100, rateLimitKbit: 3000 },
      n1: { latencyMs: '100' },
      n3: {},
    },
  });
  const peers = ['n1', 'n2', 'n3'];
  const late = { latency: '100ms', jitter: '10ms', distribution: 'pareto', peers };
  const delay = { ...late, backend: 'netem-or-nfqueue' };
  const rate = { rate: '3000kbit', latency: '500ms', peers };
  assert.deepEqual(faultsOf(spec, peers), [
    { kind: 'network.delay', params: delay, targets: ['n1', 'n2'] },
    { kind: 'network.rate', params: rate, targets: ['n2'] },
  ]);
  const alone = (node: string, ...met: string[]): TaskFault[] =>
    faultsHere(spec, { node, all: peers, meets: (need) => met.includes(need) });
  assert.deepEqual(alone('n1', 'nfqueue', 'htb'), [
    { kind: 'network.delay', params: { ...late, direction: 'inbound' }, targets: ['n1'] },
  ]);
  assert.deepEqual(alone('n2', 'nfqueue'), [
    { kind: 'network.delay', params: { ...late, direction: 'inbound' }, targets: ['n2'] },
    { kind: 'network.rate', params: { ...rate, direction: 'inbound' }, targets: ['n2'] },
  ]);
  assert.deepEqual(alone('n2', 'nfqueue', 'htb', 'netem'), [
    { kind: 'network.delay', params: { ...late, backend: 'netem' }, targets: ['n2'] },
    { kind: 'network.rate', params: { ...rate, backend: 'htb' }, targets: ['n2'] },
  ]);
  assert.deepEqual(
    alone('n3', 'netem').map(({ kind }) => kind),
    ['noop'],
  );
  const bad = { class: 'DegradedNetworkFaultSpec', nodeSpecs: { n1: { latencyMs: -1 } } };
  assert.match(problems(bad)[0]?.path ?? '', /nodeSpecs\/n1\/latencyMs/);
});

test('it is shown without what is empty', () => {
  const spec = read({ class: 'NetworkPartitionFaultSpec' });
  assert.deepEqual(shownSpec(spec, 5), { class: spec.class, startMs: 5, durationMs: 0 });
});

test('trogdor.conf reads as it is, and makes a cluster', () => {
  const read = readTrogdorConfig({
    platform: 'org.apache.kafka.trogdor.basic.BasicPlatform',
    nodes: {
      a: { hostname: 'h1', 'trogdor.coordinator.port': '8889', tags: 'controller' },
      b: { hostname: 'h2', 'trogdor.agent.port': 0, custom: 'x' },
      c: { hostname: 'h3' },
      d: { hostname: 'h4', 'trogdor.coordinator.port': 8889, 'trogdor.agent.port': 8888 },
    },
  });
  assert.ok(read.ok);
  assert.deepEqual(
    read.value.map(({ agentPort, coordinatorPort }) => [agentPort, coordinatorPort]),
    [
      [0, 8889],
      [0, undefined],
      [8888, undefined],
      [8888, 8889],
    ],
    'a coordinator alone has no agent, as kafkatest starts none there',
  );
  const cluster = clusterOf(read.value, ({ hostname }) => [`addr-${hostname}`]);
  assert.deepEqual(cluster.nodes, [
    { name: 'a', addresses: ['addr-h1'], roles: ['controller'] },
    { name: 'b', addresses: ['addr-h2'], roles: ['broker'] },
    { name: 'c', addresses: ['addr-h3'], roles: ['broker'], agent: 'http://h3:7711' },
    { name: 'd', addresses: ['addr-h4'], roles: ['broker'], agent: 'http://h4:7711' },
  ]);
  const bad = readTrogdorConfig({ nodes: { 'a b': { 'trogdor.agent.port': 70_000 }, '/': {} } });
  assert.equal(bad.ok, false);
});

test('a member called as no member should be is told like every unknown one', () => {
  const raw = JSON.parse('{"class":"NoOpTaskSpec","__proto__":{"x":1},"toString":1}') as object;
  assert.deepEqual(
    problems(raw).map(({ path }) => path),
    ['/__proto__', '/toString'],
  );
});
