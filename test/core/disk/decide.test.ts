import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, without, type Counters, type Verdict } from '../../../src/core/disk/decide.ts';
import {
  compileRules,
  matchesPath,
  placed,
  type Request,
  type Rule,
} from '../../../src/core/disk/rule.ts';
import { operationBit, type Operation } from '../../../src/core/disk/operation.ts';
import type { Fault } from '../../../src/core/disk/specification.ts';

class OneThread implements Counters {
  readonly matched = new Map<number, number>();
  readonly hits = new Map<number, number>();
  match(rule: Rule): number {
    const before = this.matched.get(rule.index) ?? 0;
    this.matched.set(rule.index, before + 1);
    return before;
  }
  hit(rule: Rule, limit: number): boolean {
    const before = this.hits.get(rule.index) ?? 0;
    if (limit !== 0 && before >= limit) return false;
    this.hits.set(rule.index, before + 1);
    return true;
  }
}

function request(operation: Operation, more: Partial<Request> = {}): Request {
  const bit = operationBit(operation);
  return { operation: bit, writes: false, pid: 1, uid: 0, offset: 0, size: 100, ...more };
}

/** 'x' for each of `count` writes that is hit. */
function pattern(when: Fault['when'], count: number, seed = 1): string {
  const rules = compileRules(
    placed({
      version: 1,
      seed,
      faults: [{ id: 'f', when, fault: { kind: 'error', errno: 'EIO' } }],
    }),
  );
  const counters = new OneThread();
  return Array.from({ length: count }, () =>
    decide(rules, request('write'), counters) === undefined ? '.' : 'x',
  ).join('');
}

test('when: skip, every, count, sequence', () => {
  assert.equal(pattern({}, 4), 'xxxx');
  assert.equal(pattern({ skip: 2 }, 5), '..xxx');
  assert.equal(pattern({ every: 3 }, 7), '..x..x.');
  assert.equal(pattern({ count: 2, skip: 1 }, 5), '.xx..');
  assert.equal(pattern({ sequence: 'x.xx' }, 7), 'x.xx...');
  assert.equal(pattern({ sequence: 'x..*' }, 7), 'x..x..x');
});

test('a probability is drawn from the seed, and about right', () => {
  const one = pattern({ probability: '1/4' }, 2000, 5);
  assert.equal(one, pattern({ probability: '1/4' }, 2000, 5));
  assert.notEqual(one, pattern({ probability: '1/4' }, 2000, 6));
  const hits = one.replaceAll('.', '').length;
  assert.ok(hits > 420 && hits < 580, `${hits} of 2000`);
});

test('match: operations, ranges, callers; latency, data and error together', () => {
  const faults: Fault[] = [
    {
      id: 'a',
      match: { op: ['data'], range: [{ from: 1000, to: 2000 }] },
      fault: { kind: 'lost' },
    },
    {
      id: 'b',
      match: { uid: [7] },
      fault: { kind: 'delay', latency: { fixed: '2s', perMiB: '1s' } },
    },
    { id: 'c', match: { pid: [9], op: ['write'] }, fault: { kind: 'error', errno: 'ENOSPC' } },
    { id: 'd', fault: { kind: 'readonly' } },
  ];
  const rules = compileRules(placed({ version: 1, faults }));
  const ask = (asked: Request): Verdict | undefined =>
    decide(rules.slice(0, 3), asked, new OneThread());
  assert.equal(ask(request('write', { offset: 900, size: 100 })), undefined);
  assert.deepEqual(ask(request('write', { offset: 901, size: 100 }))?.hits, [0]);
  assert.equal(ask(request('read', { offset: 1500 })), undefined);
  const all = ask(request('write', { offset: 1999, uid: 7, pid: 9, size: 1 << 20 }));
  assert.deepEqual([all?.hits, all?.delayMs, all?.errno], [[0, 1, 2], 3000, 28]);
  assert.ok(all);
  const left = (ended: number): unknown[] => {
    const rest = without(all, (index) => index === ended);
    return [rest.hits, rest.delayMs, rest.errno, rest.alterations.length];
  };
  assert.deepEqual(left(0), [[1, 2], 3000, 28, 0]);
  assert.deepEqual(left(1), [[0, 2], 0, 28, 1]);
  assert.deepEqual(left(2), [[0, 1], 3000, 0, 1]);
  const readonly = (asked: Request) => decide(rules.slice(3), asked, new OneThread())?.errno;
  assert.equal(readonly(request('open')), undefined);
  assert.equal(readonly(request('open', { writes: true })), 30);
  assert.equal(readonly(request('unlink')), 30);
});

test('path and notPath', () => {
  const [rule] = compileRules(
    placed({
      version: 1,
      faults: [
        {
          id: 'p',
          match: { path: ['**/*.log', 'x'], notPath: ['a/**'] },
          fault: { kind: 'stall' },
        },
      ],
    }),
  );
  assert.ok(rule);
  assert.deepEqual(
    ['t/0.log', 'x', 'a/0.log', 't/0.index'].map((path) => matchesPath(rule, path)),
    [true, true, false, false],
  );
});
