import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Placed } from '../../../src/core/disk/rule.ts';
import type { Engine } from '../../../src/host/fuse/engine.ts';
import { LANES, type FileSystem } from '../../../src/host/fuse/file-system.ts';
import { createShared, openMemory } from '../../../src/host/fuse/memory.ts';
import type { LaneMessage, NoticeMessage } from '../../../src/host/fuse/messages.ts';
import { Publisher } from '../../../src/host/fuse/publisher.ts';

test('the report of a sweep that was given up is not taken for that of the next', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked: NoticeMessage[] = [];
  const fileSystem = { tellNotifier: (message: NoticeMessage) => asked.push(message) };
  const publisher = new Publisher(fileSystem as unknown as FileSystem, {} as Engine);
  const report = (index: number): void => {
    const message = asked[index];
    assert.ok(message?.type === 'sweep');
    publisher.take({ type: 'swept', number: message.number });
  };
  const first = assert.rejects(publisher.forgetAll([]).whenSwept, /has not let go of cached pages/);
  t.mock.timers.tick(60_000);
  await first;
  let isDone = false;
  const second = publisher.forgetAll([]).whenSwept.then(() => {
    isDone = true;
  });
  report(0);
  await setImmediate();
  assert.equal(isDone, false);
  report(1);
  await second;
});

test('what was given up is made up for by the next change', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sweeps: Extract<NoticeMessage, { type: 'sweep' }>[] = [];
  const memory = openMemory(createShared({ nodes: 1024, files: 64 }));
  const fileSystem = {
    memory,
    tellLanes(message: LaneMessage) {
      assert.ok(message.type === 'healed');
      for (let lane = 0; lane < LANES; lane++) publisher.take(message);
    },
    tellNotifier(message: NoticeMessage) {
      if (message.type === 'sweep') sweeps.push(message);
    },
  };
  const publisher = new Publisher(fileSystem as unknown as FileSystem, {} as Engine);
  const fault = { id: 'a', match: { op: ['read' as const] }, fault: { kind: 'gone' as const } };
  const change = async (faults: Placed[]): Promise<void> => {
    const { whenSwept } = await publisher.publish({ faults, tracks: false });
    const { number = 0 } = sweeps.at(-1) ?? {};
    publisher.take({ type: 'swept', number });
    await whenSwept;
  };
  await change([{ fault, seed: 0, place: 0 }]);
  assert.equal(publisher.owes, false);
  const { whenSwept } = await publisher.publish({ faults: [], tracks: false });
  const healed = assert.rejects(whenSwept, /has not let go/);
  t.mock.timers.tick(60_000);
  await healed;
  assert.equal(publisher.owes, true);
  await change([]);
  assert.equal(publisher.owes, false);
  assert.deepEqual(sweeps.at(-1)?.before.faults[0]?.fault.match, { op: ['all'] });
});
