import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkSingle, type SingleFault } from '../../../src/core/disk/single.ts';
import { isInForce, StandingFaults } from '../../../src/core/disk/standing.ts';
import type { Fault } from '../../../src/core/disk/specification.ts';

const SEED = 12;

function single(id: string, given: object = {}): SingleFault {
  const checked = checkSingle(id, { fault: { kind: 'readonly' }, ...given });
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.value;
}

function whole(...ids: string[]): { version: 1; faults: Fault[] } {
  return { version: 1, faults: ids.map((id) => ({ id, fault: { kind: 'readonly' } })) };
}

const idsOf = (faults: StandingFaults): string[] => faults.all().map((one) => one.id);

test('the specification and single faults replace only their own', () => {
  const faults = new StandingFaults(10);
  assert.deepEqual(faults.setSpecification(whole('a', 'b'), 0), []);
  assert.deepEqual(faults.set('x', single('x'), 0), []);
  assert.deepEqual(faults.setSpecification(whole('b', 'c'), 5), []);
  assert.deepEqual(idsOf(faults), ['b', 'c', 'x']);
  assert.equal(faults.set('b', single('b'), 5).length, 1);
  assert.equal(faults.setSpecification(whole('q', 'x'), 5)[0]?.path, '/faults/1/id');
  assert.deepEqual(idsOf(faults), ['b', 'c', 'x']);
  faults.remove('b');
  faults.remove('x');
  assert.deepEqual(idsOf(faults), ['b', 'c']);
});

test('the same fault keeps its counters, another one gets new ones', () => {
  const faults = new StandingFaults(10);
  faults.setSpecification(whole('a', 'b'), 0);
  faults.set('x', single('x'), 0);
  const before = faults.all().map((one) => one.place);
  faults.setSpecification(whole('a', 'b'), 9);
  faults.set('x', single('x', { leaseMs: 5 }), 9);
  assert.deepEqual(
    faults.all().map((one) => one.place),
    before,
  );
  faults.setSpecification({ ...whole('a', 'b'), seed: 2 }, 9);
  faults.set('x', single('x', { seed: 1 }), 9);
  const after = faults.all().map((one) => one.place);
  assert.ok(after.every((place) => !before.includes(place)));
});

test('a lease ends a fault unless it is renewed; a deadline ends it in any case', () => {
  const faults = new StandingFaults(10);
  faults.set('x', single('x', { leaseMs: 10, deadlineMs: 25 }), 0);
  faults.set('y', single('y', { leaseMs: 10 }), 0);
  faults.set('z', single('z'), 0);
  assert.equal(faults.nextChange(0), 10);
  assert.deepEqual(faults.expire(9), []);
  assert.equal(faults.renew('x', { leaseMs: 10 }, 9)?.leaseEndsAt, 19);
  assert.equal(faults.renew('nobody', { leaseMs: 10 }, 9), undefined);
  assert.deepEqual(
    faults.expire(10).map(({ fault, endedBy }) => [fault.id, endedBy]),
    [['y', 'lease']],
  );
  faults.renew('x', { leaseMs: 10 }, 18);
  assert.deepEqual(
    faults.expire(25).map(({ fault, endedBy }) => [fault.id, endedBy]),
    [['x', 'deadline']],
  );
  assert.deepEqual(idsOf(faults), ['z']);
  assert.equal(faults.nextChange(25), Infinity);
});

test('whatever happens, no two faults share a place or an id', () => {
  const step = fc.record({
    what: fc.constantFrom('set', 'remove', 'whole', 'renew', 'expire'),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    seed: fc.nat(2),
    leaseMs: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const faults = new StandingFaults(8);
      for (const [now, { what, id, seed, leaseMs }] of steps.entries()) {
        if (what === 'set') faults.set(id, single(id, { seed, leaseMs }), now);
        else if (what === 'remove') faults.remove(id);
        else if (what === 'whole') faults.setSpecification({ ...whole(id, 'e'), seed }, now);
        else if (what === 'renew') faults.renew(id, { leaseMs }, now);
        else faults.expire(now);
        const all = faults.all();
        assert.equal(new Set(all.map((one) => one.place)).size, all.length);
        assert.equal(new Set(all.map((one) => one.id)).size, all.length);
        assert.ok(faults.nextChange(now) > now);
      }
    }),
    { seed: SEED },
  );
});

test('a delayed fault waits, one that only tracks is never in force', () => {
  const faults = new StandingFaults(4);
  faults.set('late', single('late', { when: { delay: '5ms', duration: '10ms' } }), 100);
  const tracks = checkSingle('track', { trackUnsynced: true });
  assert.ok(tracks.ok && tracks.value.fault === undefined);
  faults.set('track', tracks.value, 100);
  const active = (now: number): string[] =>
    faults
      .all()
      .filter((one) => isInForce(one, now))
      .map((one) => one.id);
  assert.deepEqual([active(104), active(105), active(115)], [[], ['late'], []]);
});

test('a bad single fault is refused with every problem', () => {
  const checked = checkSingle('Bad Id', {
    leaseMs: 0,
    match: { path: ['[a'] },
    fault: { kind: 'error', errno: 'ENOSYS' },
    nonsense: 1,
  });
  assert.ok(!checked.ok);
  const paths = checked.problems.map((problem) => problem.path);
  for (const path of ['/leaseMs', '/match/path/0', '/fault/errno', '/id']) {
    assert.ok(paths.includes(path), `${path} in ${paths.join(' ')}`);
  }
  assert.ok(!checkSingle('x', {}).ok);
  assert.ok(!checkSingle('x', { trackUnsynced: true, when: { skip: 1 } }).ok);
});
