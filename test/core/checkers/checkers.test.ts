import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { checkHistory, type CheckOptions } from '../../../src/core/checkers/engine/check.ts';
import type { Checker } from '../../../src/core/checkers/engine/checker.ts';
import { CHECKERS, checkNames } from '../../../src/core/checkers/registry.ts';
import type { HistoryEntry } from '../../../src/core/model/history.ts';
import { HistoryWriter } from '../../support/histories.ts';

function judge(writer: HistoryWriter, options: CheckOptions = {}) {
  const verdict = checkHistory(CHECKERS, writer.entries, options);
  const found = Object.fromEntries(verdict.anomalies.map(({ kind, count }) => [kind, count]));
  return { ...verdict, found };
}

test('the registry holds every file of the folder, by its name', () => {
  const folder = new URL('../../../src/core/checkers/', import.meta.url);
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'registry.ts')
    .map((entry) => entry.name.replace('.ts', ''));
  assert.deepEqual(CHECKERS.map(({ name }) => name).sort(), files.sort());
  assert.equal(new Set(checkNames()).size, checkNames().length);
});

test('what was acknowledged and read is valid, at offsets of billions too', () => {
  const base = 3e9;
  const history = new HistoryWriter()
    .send('ok', base, 0, 3)
    .poll([[base, 0, 0, 3]])
    .send('ok', base + 3, 3, 2)
    .poll([[base + 3, 0, 3, 2]])
    .final([[base, 0, 0, 5]], base, base + 5);
  const { verdict, found, counts } = judge(history);
  assert.deepEqual([verdict, found], ['valid', {}]);
  assert.equal(counts.acknowledged, 5);
  assert.equal(counts.read, 5);
  assert.equal(counts.polledRows, 10);
});

test('lostWrite: acknowledged below what was read, and never read', () => {
  const history = new HistoryWriter()
    .send('ok', 0, 0)
    .send('ok', 1, 1)
    .send('ok', 2, 2)
    .final(
      [
        [0, 0, 0, 1],
        [2, 0, 2, 1],
      ],
      0,
      3,
    );
  const { verdict, found, anomalies } = judge(history);
  assert.deepEqual([verdict, found], ['invalid', { lostWrite: 1 }]);
  assert.equal(anomalies[0]?.examples[0]?.value, '0/1');
  assert.equal(anomalies[0]?.examples[0]?.offset, 1);
});

test('unseen: acknowledged beyond all that was read, absent from a complete final read', () => {
  const history = new HistoryWriter()
    .send('ok', 0, 0)
    .send('ok', 1, 1)
    .final([[0, 0, 0, 1]], 0, 1);
  assert.deepEqual(judge(history).found, { unseen: 1 });
});

test('no final read: nobody can say that nothing is missing', () => {
  const history = new HistoryWriter()
    .send('ok', 0, 0)
    .send('ok', 1, 1)
    .poll([[0, 0, 0, 1]]);
  const { verdict, found, checks } = judge(history);
  assert.deepEqual([verdict, found], ['unknown', {}]);
  assert.match(checks['loss']?.reason ?? '', /final read of t-0/);
  const torn = new HistoryWriter().send('ok', 0, 0).final([], 0, 1, { type: 'info' });
  assert.equal(judge(torn).verdict, 'unknown');
});

test('retention: what the log let go once it was read is no loss; unread, nobody can tell', () => {
  const sent = (): HistoryWriter => new HistoryWriter().send('ok', 0, 0).send('ok', 1, 1);
  const read = sent()
    .poll([[0, 0, 0, 2]])
    .final([[1, 0, 1, 1]], 1, 2);
  assert.deepEqual([judge(read).verdict, judge(read).found], ['valid', {}]);
  const unread = sent().final([[1, 0, 1, 1]], 1, 2);
  const { verdict, found, reasons } = judge(unread);
  assert.deepEqual([verdict, found], ['unknown', {}]);
  assert.match(reasons.join(), /^loss: 1 acknowledged records lay below the start of the log/);
  // A reader that was too slow, and a final read that the log's start overtook.
  const moved = { type: 'ok', process: 1, f: 'seek', topic: 0, topicPartition: 0, from: 0, to: 1 };
  const slow = sent();
  slow.add({ ...moved, why: 'the log starts at 1' });
  slow.poll([[1, 0, 1, 1]]);
  assert.deepEqual([judge(slow).verdict, judge(slow).found], ['unknown', {}]);
  assert.deepEqual(judge(slow.final([[1, 0, 1, 1]], 0, 2)).found, {});
  // Acknowledged as a duplicate, without an offset: it may be among what was let go.
  const untold = new HistoryWriter().send('ok', 0, 0).send('ok', -1, 1).send('ok', 2, 2);
  assert.deepEqual(judge(untold.final([[2, 0, 2, 1]], 2, 3)).found, {});
  const all = new HistoryWriter()
    .send('ok', 0, 0)
    .send('ok', -1, 1)
    .final([[0, 0, 0, 1]], 0, 1);
  assert.deepEqual(judge(all).found, { unseen: 1 });
});

test('no final read: whatever checks are asked for, what was not read cannot be judged', () => {
  const history = new HistoryWriter().send('ok', 0, 0).send('ok', 1, 1);
  for (const name of ['loss', 'duplicate', 'divergence', 'order', 'phantom']) {
    const { verdict, reasons } = judge(history, { checks: [name] });
    assert.equal(verdict, 'unknown', name);
    assert.match(reasons.join(), new RegExp(`^${name}: no complete final read of t-0`));
  }
  assert.equal(judge(history, { checks: ['controllers', 'recovery'] }).verdict, 'valid');
  const names = 'loss, duplicate, divergence, order, phantom';
  assert.equal(judge(history).reasons.filter((reason) => reason.startsWith(names)).length, 1);
});

test('vanished: read once, gone at the end', () => {
  const history = new HistoryWriter()
    .send('ok', 0, 0, 3)
    .poll([[0, 0, 0, 3]])
    .final([[0, 0, 0, 2]], 0, 2);
  assert.deepEqual(judge(history).found, { vanished: 1 });
});

test('truncated: a position beyond the end of the log', () => {
  const history = new HistoryWriter().send('ok', 0, 0, 3).poll([[0, 0, 0, 3]]);
  const where = { topic: 0, topicPartition: 0, from: 3, to: 1, why: 'the log ends at 1' };
  history.add({ type: 'ok', process: 1, f: 'seek', ...where });
  history.final([[0, 0, 0, 3]], 0, 3);
  assert.deepEqual(judge(history).found, { truncated: 2 });
});

test('duplicate: one value at two offsets, counted once', () => {
  const history = new HistoryWriter()
    .send('info', -1, 0)
    .send('ok', 1, 0, 1, { attempt: 2 })
    .poll([
      [0, 0, 0, 1],
      [1, 0, 0, 1],
    ])
    .final(
      [
        [0, 0, 0, 1],
        [1, 0, 0, 1],
      ],
      0,
      2,
    );
  const { verdict, found, anomalies } = judge(history);
  assert.deepEqual([verdict, found['duplicate']], ['invalid', 1]);
  assert.equal(anomalies.find(({ kind }) => kind === 'duplicate')?.examples[0]?.other, '0');
  const lenient = judge(history, { checks: ['lostWrite', 'unseen', 'divergence'] });
  assert.equal(lenient.verdict, 'valid');
  assert.equal(lenient.anomalies.find(({ kind }) => kind === 'duplicate')?.counts, false);
});

test('inconsistentOffsets: one offset, two values', () => {
  const history = new HistoryWriter()
    .send('ok', 0, 0)
    .send('ok', 0, 1)
    .final([[0, 0, 1, 1]], 0, 1);
  const { found } = judge(history);
  assert.equal(found['inconsistentOffsets'], 1);
  assert.equal(found['lostWrite'], 1);
});

test('polls: backwards, and passing over what others read', () => {
  const back = new HistoryWriter()
    .send('ok', 0, 0, 4)
    .poll([[0, 0, 0, 3]])
    .poll([[2, 0, 2, 2]])
    .final([[0, 0, 0, 4]], 0, 4);
  assert.deepEqual(judge(back).found, { nonmonotonicPoll: 1 });
  const skip = new HistoryWriter()
    .send('ok', 0, 0, 4)
    .poll([[0, 0, 0, 1]])
    .poll([[3, 0, 3, 1]])
    .final([[0, 0, 0, 4]], 0, 4);
  assert.deepEqual(judge(skip).found, { pollSkip: 2 });
  const within = new HistoryWriter()
    .send('ok', 0, 0, 4)
    .poll([
      [0, 0, 0, 1],
      [2, 0, 2, 2],
    ])
    .final([[0, 0, 0, 4]], 0, 4);
  assert.deepEqual(judge(within).found, { pollSkipWithin: 1 });
  // Offsets that hold no record (transaction markers, compaction) are not passed over.
  const hole = new HistoryWriter()
    .send('ok', 0, 0)
    .send('ok', 5, 1)
    .poll([
      [0, 0, 0, 1],
      [5, 0, 1, 1],
    ])
    .final(
      [
        [0, 0, 0, 1],
        [5, 0, 1, 1],
      ],
      0,
      6,
    );
  assert.deepEqual(judge(hole).found, {});
});

test('a reader that was assigned or moved elsewhere does not go backwards', () => {
  const history = new HistoryWriter().send('ok', 0, 0, 4).poll([[0, 0, 0, 4]]);
  const positions = [{ topic: 0, topicPartition: 0, offset: 0 }];
  history.add({ type: 'ok', process: 1, f: 'assign', positions });
  history.poll([[0, 0, 0, 4]]).final([[0, 0, 0, 4]], 0, 4);
  assert.equal(judge(history).verdict, 'valid');
});

test('nonmonotonicSend: a later value at a lower offset', () => {
  const history = new HistoryWriter()
    .send('ok', 1, 0)
    .send('ok', 0, 1)
    .final(
      [
        [0, 0, 1, 1],
        [1, 0, 0, 1],
      ],
      0,
      2,
    );
  assert.deepEqual(judge(history).found, { nonmonotonicSend: 1 });
});

test('phantoms: never sent, foreign, damaged, corrupt, refused and yet there', () => {
  const unsent = new HistoryWriter().send('ok', 0, 0).final(
    [
      [0, 0, 0, 1],
      [1, 0, 7, 1],
    ],
    0,
    2,
  );
  assert.deepEqual(judge(unsent).found, { phantom: 1 });
  const nobody = new HistoryWriter().send('ok', 0, 0).final(
    [
      [0, 0, 0, 1],
      [1, 5, 0, 1],
    ],
    0,
    2,
  );
  assert.deepEqual(judge(nobody).found, { phantom: 1 });
  // Another writer has sent more: its values reach further, and make this one no less a phantom.
  const dense = new HistoryWriter({ writers: 2 }).send('ok', 0, 0, 9).final(
    [
      [0, 0, 0, 9],
      [9, 1, 3, 2],
    ],
    0,
    11,
  );
  assert.deepEqual(judge(dense).found, { phantom: 2 });
  assert.equal(judge(dense).counts.offered, 9);
  const strange = [
    { offset: 1, why: 'foreign', bytes: '00' },
    { offset: 2, why: 'damaged', bytes: '00' },
  ];
  const corrupt = [{ offset: 1, expected: 1, actual: 2 }];
  const odd = new HistoryWriter()
    .send('ok', 0, 0)
    .poll([[0, 0, 0, 1]], { extra: { strange, corrupt } })
    .final([[0, 0, 0, 1]], 0, 3);
  assert.deepEqual(judge(odd).found, { phantom: 1, damagedRecord: 1, corruptBatch: 1 });
  const refused = new HistoryWriter()
    .send('ok', 0, 0)
    .send('fail', -1, 1)
    .final([[0, 0, 0, 2]], 0, 2);
  assert.deepEqual(judge(refused).found, { failedRead: 1 });
});

test('an attempt nobody knows of makes a value unknown; a later one decides', () => {
  const { counts, verdict } = judge(
    new HistoryWriter()
      .send('info', -1, 0)
      .send('fail', -1, 0, 1, { attempt: 2 })
      .send('open', -1, 1)
      .send('fail', -1, 2)
      .send('fail', -1, 3)
      .send('ok', 0, 3, 1, { attempt: 2 })
      .poll([[1, 0, 1, 1]], { reader: 1 })
      .final(
        [
          [0, 0, 3, 1],
          [1, 0, 1, 1],
        ],
        0,
        2,
      ),
  );
  const { offered, acknowledged, failed, unknown, unknownButRead } = counts;
  assert.deepEqual([offered, acknowledged, failed, unknown, unknownButRead], [4, 1, 1, 2, 1]);
  assert.equal(verdict, 'invalid'); // 0/3 stands below 0/1, which was sent before it
});

test('an attempt that never ended may have happened, whatever came of the next', () => {
  const history = new HistoryWriter()
    .send('open', -1, 0)
    .send('fail', -1, 0, 1, { attempt: 2 })
    .send('ok', 1, 1)
    .final([[0, 0, 0, 2]], 0, 2);
  const { verdict, found, counts } = judge(history);
  assert.deepEqual([verdict, found, counts.unknownButRead], ['valid', {}, 1]);
});

test('nothing acknowledged is never a success', () => {
  const dead = new HistoryWriter().send('fail', -1, 0).final([], 0, 0);
  assert.equal(judge(dead).verdict, 'unknown');
  assert.match(judge(dead).reasons.join(), /nothing was acknowledged/);
  assert.equal(checkHistory(CHECKERS, []).verdict, 'unknown');
});

test('windows without success are set against the faults in force', () => {
  const history = new HistoryWriter({ parameters: { rate: 100 } })
    .at(1_000)
    .send('ok', 0, 0)
    .poll([[0, 0, 0, 1]])
    .at(2_000)
    .fault('begin', 'f1')
    .at(6_000)
    .fault('end', 'f1')
    .send('ok', 1, 1)
    .at(8_000)
    .poll([[1, 0, 1, 1]])
    .final([[0, 0, 0, 2]], 0, 2);
  const { availability, recovery, verdict } = judge(history);
  const told = availability.windows.map(({ kind, faults }) => [kind, ...faults]);
  assert.deepEqual(told, [['send', 'f1'], ['poll']]);
  assert.equal(availability.longestSendMs, 5_001);
  assert.equal(availability.withoutFault, 1);
  assert.deepEqual([recovery.sendMs, recovery.pollMs], [2, 2_000]);
  assert.equal(verdict, 'valid');
});

test('the quiet part of an idle pattern is no unavailability', () => {
  const idle = { busyMs: 100, quietMs: 5_000 };
  const history = new HistoryWriter({ parameters: { rate: 100, idle } })
    .at(1_000)
    .send('ok', 0, 0)
    .at(5_500)
    .send('ok', 1, 1)
    .poll([[0, 0, 0, 2]])
    .final([[0, 0, 0, 2]], 0, 2);
  assert.deepEqual(
    judge(history).availability.windows.map(({ kind }) => kind),
    ['poll'],
  );
});

test('noProgress: a topic-partition that takes nothing after everything is healed', () => {
  const history = new HistoryWriter({ topicPartitions: 2, parameters: { rate: 100 } });
  history.send('ok', 0, 0).send('ok', 0, 0, 1, { place: 1 });
  history.fault('begin', 'f1').fault('end', 'f1').at(20_000);
  history.send('ok', 1, 1).send('info', -1, 1, 1, { place: 1 });
  history.final([[0, 0, 0, 2]], 0, 2).final([[0, 0, 0, 1]], 0, 1, { place: 1 });
  const { found, recovery, verdict } = judge(history);
  assert.deepEqual([verdict, found], ['invalid', { noProgress: 1 }]);
  assert.deepEqual(recovery.never, ['t-1']);
});

test('a timetable that has not come to a topic-partition yet is no missing progress', () => {
  // A round of 16 writers over 2 topic-partitions takes 8 s here: t-1 was not due yet.
  const history = new HistoryWriter({
    writers: 16,
    topicPartitions: 2,
    parameters: { rate: 4 },
  });
  history.send('ok', 0, 0).send('ok', 0, 0, 1, { place: 1 });
  history.fault('begin', 'f1').fault('end', 'f1').at(6_500).send('ok', 1, 1);
  history.final([[0, 0, 0, 2]], 0, 2).final([[0, 0, 0, 1]], 0, 1, { place: 1 });
  const { verdict, found, availability } = judge(history);
  assert.deepEqual([verdict, found], ['unknown', {}]);
  assert.deepEqual(
    availability.windows.filter(({ kind }) => kind === 'send'),
    [],
  );
});

test('a load that ends with the last fault shows no recovery', () => {
  const history = new HistoryWriter().fault('begin', 'f1').send('ok', 0, 0).fault('end', 'f1');
  history.final([[0, 0, 0, 1]], 0, 1);
  assert.equal(judge(history).verdict, 'unknown');
  const standing = new HistoryWriter().send('ok', 0, 0).fault('begin', 'f1');
  assert.equal(judge(standing.final([[0, 0, 0, 1]], 0, 1)).verdict, 'unknown');
});

test('faults handed over apart are merged by the wall clock', () => {
  const history = new HistoryWriter({ parameters: { rate: 100 } })
    .at(1_000)
    .send('ok', 0, 0)
    .at(9_000)
    .send('ok', 1, 1)
    .at(20_000)
    .send('ok', 2, 2)
    .final([[0, 0, 0, 3]], 0, 3);
  // The header says: monotonic 0 is wall 1,000,000 ms; the coordinator's clock is 500 ms ahead.
  const fault = { id: 'f9', kind: 'noop', targets: ['n1'], beganMs: 1_002_500, endedMs: 1_004_500 };
  const { availability } = judge(history, { faults: [fault], faultClockOffsetMs: 500 });
  assert.deepEqual(availability.windows[0]?.faults, ['f9']);
  assert.deepEqual(availability.windows.at(-1)?.faults, []);
});

test('a checker that throws cannot tell, and takes no other with it', () => {
  const broken: Checker = {
    name: 'broken',
    summary: '',
    kinds: [],
    begin: () => ({
      entry() {
        throw new Error('boom');
      },
      finish() {},
    }),
  };
  const lost = new HistoryWriter().send('ok', 0, 0).final([[0, 0, 0, 1]], 0, 1);
  const verdict = checkHistory([...CHECKERS, broken], lost.entries);
  assert.equal(verdict.verdict, 'unknown');
  assert.match(verdict.checks['broken']?.reason ?? '', /boom/);
  assert.equal(verdict.checks['loss']?.verdict, 'valid');
});

test('a torn last line is tolerated, a torn one in the middle is not', () => {
  const history = new HistoryWriter().send('ok', 0, 0).final([[0, 0, 0, 1]], 0, 1);
  const lines = history.entries.map((entry: HistoryEntry) => JSON.stringify(entry));
  assert.equal(checkHistory(CHECKERS, [...lines, '{"index":9,"ty']).verdict, 'valid');
  const headless = [...lines.slice(1, 3), lines[0] as string, ...lines.slice(1)];
  assert.equal(checkHistory(CHECKERS, headless).verdict, 'unknown');
  const nowhere = new HistoryWriter().send('ok', 0, 0).send('ok', 0, 0, 1, { place: 7 });
  assert.match(checkHistory(CHECKERS, nowhere.entries).reasons.join(), /no topic-partition 0\/7/);
  const middle = [...lines.slice(0, -1), '{"torn', lines.at(-1) as string];
  assert.equal(checkHistory(CHECKERS, middle).verdict, 'unknown');
});
