import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkSpecification,
  parseSpecification,
  printSpecification,
} from '../../../src/core/disk/check.ts';
import { checkSingle } from '../../../src/core/disk/single.ts';
import { parseKibosh } from '../../../src/core/disk/kibosh.ts';
import type { DiskSpecification, Effect } from '../../../src/core/disk/specification.ts';

const EFFECTS: Effect[] = [
  { kind: 'error', errno: 'EIO' },
  {
    kind: 'error',
    errno: [
      { errno: 'ENOSPC', weight: 3 },
      { errno: 'EDQUOT', weight: 1 },
    ],
  },
  { kind: 'delay', latency: { normal: { mean: '5ms', deviation: '2ms' }, perMiB: '1ms' } },
  { kind: 'stall' },
  { kind: 'rate', bytesPerSecond: 1000, operationsPerSecond: 5 },
  { kind: 'corrupt', how: 'random', fraction: '1%' },
  { kind: 'short', share: '1/2' },
  { kind: 'torn', sectorBytes: 4096, keep: 'random' },
  { kind: 'lost' },
  { kind: 'misdirected', shiftBytes: -4096 },
  { kind: 'stale' },
  { kind: 'fsync', how: 'fails', errno: 'EIO', after: 'xfs' },
  { kind: 'full', freeBytes: 10, freeInodes: 1, errno: 'EDQUOT' },
  { kind: 'readonly' },
  { kind: 'gone', errno: 'ENODEV' },
];

test('printing and reading are inverses, for every kind', () => {
  const specification: DiskSpecification = {
    version: 1,
    seed: 42,
    trackUnsynced: true,
    faults: EFFECTS.map((fault, index) => ({
      id: `f-${index}`,
      when: { probability: 0.5 },
      fault,
    })),
  };
  const read = parseSpecification(printSpecification(specification));
  assert.deepEqual(read, { ok: true, value: specification });
});

const BAD: [string, unknown][] = [
  ['/faults/0/fault/kind', { kind: 'eror' }],
  ['/faults/0/fault/errno', { kind: 'error', errno: 'ENOSYS' }],
  ['/faults/0/fault/extra', { kind: 'stall', extra: 1 }],
  ['/faults/0/fault/latency', { kind: 'delay', latency: {} }],
  [
    '/faults/0/fault/latency',
    { kind: 'delay', latency: { fixed: '1s', uniform: { from: '1s', to: '2s' } } },
  ],
  ['/faults/0/fault', { kind: 'rate' }],
  ['/faults/0/fault', { kind: 'short' }],
  ['/faults/0/fault/shiftBytes', { kind: 'misdirected', shiftBytes: 0 }],
  ['/faults/0/fault/share', { kind: 'short', share: '3/2' }],
];

test('bad effects are refused where they are bad', () => {
  for (const [path, fault] of BAD) {
    const checked = checkSpecification({ version: 1, faults: [{ id: 'f', fault }] });
    assert.ok(!checked.ok, JSON.stringify(fault));
    assert.deepEqual(
      checked.problems.map((problem) => problem.path),
      [path],
      JSON.stringify(checked),
    );
  }
});

test('names that every object has, and what is nested deep, are refused like all others', () => {
  const whole = (fault: unknown): string => JSON.stringify({ version: 1, faults: [fault] });
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const texts = [
    ...['constructor', '__proto__', 'toString'].flatMap((name) => [
      whole({ id: 'a', fault: { kind: name } }),
      whole({ id: 'a', match: { op: [name] }, fault: { kind: 'stall' } }),
    ]),
    ...['"faults"', '"seed"'].map((name) => `{"version":1,${name}:${deep}}`),
    `{"version":1,"faults":[{"id":"a","fault":{"kind":${deep}}}]}`,
    `{"version":1,"faults":[{"id":"a","fault":{"kind":"error","errno":${deep}}}]}`,
    `{"version":1,"faults":[{"id":"a","match":{"op":[${deep}]},"fault":{"kind":"stall"}}]}`,
    deep,
  ];
  for (const text of texts) {
    const read = parseSpecification(text);
    assert.ok(!read.ok && read.problems.length > 0, text.slice(0, 100));
  }
});

test('no text makes the reader throw', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '1',
    '{"faults":[null,1,{}]}',
    '{"faults":{}}',
    '{"version":1}',
  ]) {
    assert.equal(parseSpecification(text).ok, false, text);
  }
});

test('Kibosh: six kinds, first match only, both spellings of the error number', () => {
  const read = parseKibosh(
    JSON.stringify({
      faults: [
        { type: 'unreadable', prefix: '/a*', suffix: '.log', errorCode: 5, unknown: true },
        { type: 'read_delay', delay_ms: 100, fraction: 1 },
        { type: 'write_corrupt', mode: 1001, fraction: 0.5, count: 2 },
      ],
    }),
  );
  assert.ok(read.ok);
  const [first, second, third, fourth] = read.value.faults;
  assert.deepEqual(first?.match?.path, ['a\\***.log']);
  assert.deepEqual(second?.match?.notPath, ['a\\***.log']);
  assert.deepEqual([third?.when, fourth?.when], [{ count: 2 }, { skip: 2 }]);
  assert.ok(checkSpecification(read.value).ok);
  assert.ok(parseKibosh('{}').ok);
  for (const bad of ['', '{"faults":[{"type":"x"}]}', '{"faults":[{"type":"unreadable"}]}']) {
    assert.equal(parseKibosh(bad).ok, false);
  }
});

test('a document of any shape is refused or read, and stops nobody', () => {
  const anything: unknown[] = [
    null,
    5,
    'x',
    true,
    [],
    {},
    [null],
    { op: 5 },
    { op: null },
    { op: {} },
  ];
  const effects = [...anything, { kind: 'error' }, { kind: 5 }, { kind: 'delay', latency: 5 }];
  const matches = [...anything, { path: 5 }, { path: [5] }, { range: 5 }, { range: [null] }];
  const whens = [...anything, { probability: {} }, { probability: '2/1' }];
  for (const fault of effects)
    for (const match of matches)
      for (const when of whens) {
        const entry = { id: 'a', match, when, fault };
        assert.equal(checkSpecification({ version: 1, faults: [entry] }).ok, false);
        assert.equal(checkSingle('a', { match, when, fault }).ok, false);
      }
  for (const document of [...anything, { faults: 5 }, { faults: [5] }, { faults: [{ id: 5 }] }]) {
    assert.equal(checkSpecification(document).ok, false);
    assert.equal(checkSingle('a', document).ok, false);
  }
});
