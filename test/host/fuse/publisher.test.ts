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

interface World {
  publisher: Publisher;
  sweeps: Extract<NoticeMessage, { type: 'sweep' }>[];
  /** Whether the serving threads answer. */
  lanes: { answer: boolean };
}

function world(): World {
  const sweeps: World['sweeps'] = [];
  const lanes = { answer: true };
  const memory = openMemory(createShared({ nodes: 1024, files: 64 }));
  const fileSystem = {
    memory,
    tellLanes(message: LaneMessage) {
      assert.ok(message.type === 'healed');
      for (let lane = 0; lanes.answer && lane < LANES; lane++) publisher.take(message);
    },
    tellNotifier(message: NoticeMessage) {
      if (message.type === 'sweep') sweeps.push(message);
    },
  };
  const publisher = new Publisher(fileSystem as unknown as FileSystem, {} as Engine);
  return { publisher, sweeps, lanes };
}

const READ_GONE: Placed[] = [
  { fault: { id: 'a', match: { op: ['read'] }, fault: { kind: 'gone' } }, seed: 0, place: 0 },
];

test('what was given up is made up for by the next change', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { publisher, sweeps } = world();
  const change = async (faults: Placed[]): Promise<void> => {
    const { whenSwept } = await publisher.publish({ faults, tracks: false });
    const { number = 0 } = sweeps.at(-1) ?? {};
    publisher.take({ type: 'swept', number });
    await whenSwept;
  };
  await change(READ_GONE);
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

test('what was given up is done later all the same, and is known to be', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { publisher, sweeps } = world();
  const { whenSwept } = await publisher.publish({ faults: READ_GONE, tracks: false });
  const given = assert.rejects(whenSwept, /has not let go/);
  t.mock.timers.tick(60_000);
  await given;
  assert.equal(publisher.owes, true);
  publisher.take({ type: 'swept', number: sweeps.at(-1)?.number ?? 0 });
  assert.equal(publisher.owes, false);
});

test('a thread that hangs does not keep the kernel from letting go', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { publisher, sweeps, lanes } = world();
  lanes.answer = false;
  const published = publisher.publish({ faults: READ_GONE, tracks: false });
  t.mock.timers.tick(60_000);
  await assert.rejects((await published).whenSwept, /a thread of the file system is held/);
  assert.equal(publisher.owes, true);
  assert.deepEqual(sweeps.at(-1)?.after.faults[0]?.fault.match, { op: ['all'] });
  publisher.take({ type: 'swept', number: sweeps.at(-1)?.number ?? 0 });
  assert.equal(publisher.owes, false);
});
