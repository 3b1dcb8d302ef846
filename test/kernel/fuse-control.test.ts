import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { FaultState } from '../../src/host/fuse/disk-state.ts';
import type { DiskEvent } from '../../src/host/fuse/events.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const skip = lacks('root', 'fuse');

function write(mount: DiskMount, name: string): string {
  try {
    writeFileSync(mount.file(name), 'x');
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

const refuses = (name: string) => ({
  match: { path: [name], op: ['write'] },
  fault: { kind: 'error', errno: 'EIO' },
});

async function eventsOf(mount: DiskMount, query = ''): Promise<DiskEvent[]> {
  return ((await mount.ask('GET', `/events${query}`)) as { events: DiskEvent[] }).events;
}

describe('the control of a mount', { skip, concurrency: false }, () => {
  test('single faults and a specification leave each other alone', async () => {
    await using mount = await DiskMount.start();
    await mount.ask('PUT', '/faults/one', { ...refuses('a'), owner: 'node-1' });
    await mount.ask('PUT', '/faults/two', refuses('b'));
    await mount.set({
      version: 1,
      faults: [{ id: 'three', match: { path: ['c'] }, fault: { kind: 'error', errno: 'ENOSPC' } }],
    });
    const names = ['a', 'b', 'c', 'd'];
    assert.deepEqual(
      names.map((name) => write(mount, name)),
      ['EIO', 'EIO', 'ENOSPC', 'ok'],
    );
    await mount.clear();
    const ended = (await mount.ask('DELETE', '/faults/one')) as FaultState;
    assert.deepEqual([ended.endedBy, ended.hits, ended.owner], ['request', 1, 'node-1']);
    assert.deepEqual(await mount.ask('DELETE', '/faults/one'), ended);
    assert.deepEqual(await mount.ask('DELETE', '/faults/never'), {});
    assert.deepEqual(
      names.map((name) => write(mount, name)),
      ['ok', 'EIO', 'ok', 'ok'],
    );
    // The same once more keeps its counters; an id that stands elsewhere is refused.
    const same = (await mount.ask('PUT', '/faults/two', refuses('b'))) as FaultState;
    assert.equal(same.hits, 2);
    const clash = {
      version: 1 as const,
      faults: [{ id: 'two', fault: { kind: 'stall' as const } }],
    };
    await assert.rejects(mount.set(clash), /\/faults\/0\/id.*'two'/s);
    assert.deepEqual(
      (await mount.state()).faults.map((fault) => fault.id),
      ['two'],
    );
  });

  test('a lease that runs out heals by itself and says so; renewed, it stands', async () => {
    await using mount = await DiskMount.start();
    await mount.ask('PUT', '/faults/leased', { ...refuses('a'), leaseMs: 1500 });
    await mount.ask('PUT', '/faults/dated', { ...refuses('b'), leaseMs: 1500, deadlineMs: 60_000 });
    assert.deepEqual([write(mount, 'a'), write(mount, 'b')], ['EIO', 'EIO']);
    const renewed = (await mount.ask('POST', '/faults/dated/renew', {
      leaseMs: 90_000,
    })) as FaultState;
    assert.ok((renewed.leaseMs ?? 0) > 60_000 && (renewed.deadlineMs ?? 0) > 30_000);
    await until('the lease ends it', async () => {
      const state = (await mount.ask('GET', '/faults/leased')) as FaultState;
      return state.endedBy === 'lease';
    });
    assert.deepEqual([write(mount, 'a'), write(mount, 'b')], ['ok', 'EIO']);
    await assert.rejects(
      mount.ask('POST', '/faults/leased/renew', { leaseMs: 9 }),
      /no such fault/,
    );
    await mount.ask('POST', '/faults/dated/renew', { deadlineMs: 1 });
    await until('the deadline ends it', () => write(mount, 'b') === 'ok');
    const ended = (await eventsOf(mount)).filter((event) => event.type === 'ended');
    assert.deepEqual(
      ended.map((event) => [event.fault, event.endedBy]),
      [
        ['leased', 'lease'],
        ['dated', 'deadline'],
      ],
    );
  });

  test('events: one a hit, waited for, and no more than their rate', async () => {
    await using mount = await DiskMount.start();
    await mount.ask('PUT', '/faults/hit', refuses('a'));
    const waiting = eventsOf(mount, '?after=0&waitMs=30000');
    write(mount, 'a');
    const [first] = await waiting;
    assert.ok(first?.type === 'hit');
    const { faults, operation, path, errno } = first;
    assert.deepEqual([faults, operation, path, errno], [['hit'], 'write', 'a', 5]);
    for (let count = 0; count < 2000; count++) write(mount, 'a');
    const { hits } = (await mount.ask('GET', '/faults/hit')) as FaultState;
    const { eventsDropped, lastEvent } = await mount.state();
    assert.equal(hits, 2001);
    assert.ok(eventsDropped > 0);
    await until('the others arrive', async () => {
      const { lastEvent: last } = await mount.state();
      return last + eventsDropped === hits;
    });
    assert.ok((await eventsOf(mount, `?after=${lastEvent}`)).length <= 1000);
  });

  test('refused whole: a single fault with problems, a lease of nothing', async () => {
    await using mount = await DiskMount.start();
    const bad = { match: { path: ['[a'], op: ['raed'] }, fault: { kind: 'eror' }, leaseMs: -1 };
    const refused = await mount.ask('PUT', '/faults/bad', bad).then(() => '', String);
    for (const path of ['/match/path/0', '/match/op', '/fault/kind', '/leaseMs']) {
      assert.ok(refused.includes(path), `${path} in ${refused}`);
    }
    assert.deepEqual((await mount.state()).faults, []);
  });
});
