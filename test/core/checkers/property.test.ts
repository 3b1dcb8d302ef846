import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  array,
  assert as holds,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  type Arbitrary,
} from 'fast-check';
import { checkHistory } from '../../../src/core/checkers/engine/check.ts';
import { CHECKERS } from '../../../src/core/checkers/registry.ts';
import type { Run } from '../../../src/core/model/operation.ts';
import { HistoryWriter } from '../../support/histories.ts';

const SEED = 20_261_123;

/** What a model of a correct log does: a step is a batch with its fate, or a read of what is new. */
type Step =
  | {
      do: 'send';
      writer: number;
      place: number;
      count: number;
      fate: 'ok' | 'fail' | 'lost' | 'late';
    }
  | { do: 'poll'; place: number; most: number };

const step: Arbitrary<Step> = oneof(
  record({
    do: constant('send' as const),
    writer: nat(1),
    place: nat(1),
    count: integer({ min: 1, max: 5 }),
    // lost: unknown and not written; late: unknown and written.
    fate: constantFrom('ok', 'ok', 'ok', 'fail', 'lost', 'late'),
  }),
  record({
    do: constant('poll' as const),
    place: nat(1),
    most: integer({ min: 1, max: 8 }),
  }),
);

interface Log {
  base: number;
  rows: { writer: number; sequence: number }[];
  position: number;
}

type Change = (rows: { writer: number; sequence: number }[]) => void;

function runs(log: Log, from: number, to: number): Run[] {
  const list: [number, number, number, number][] = [];
  for (let at = from; at < to; at++) {
    const { writer, sequence } = log.rows[at] as Log['rows'][number];
    const last = list.at(-1);
    if (last !== undefined && last[1] === writer && last[2] + last[3] === sequence) last[3]++;
    else list.push([log.base + at, writer, sequence, 1]);
  }
  return list;
}

/** Plays the steps on a correct log. @param finally_ changes what the final read sees of place 0. */
function play(steps: readonly Step[], finally_: Change = () => undefined): HistoryWriter {
  const history = new HistoryWriter({ writers: 2, topicPartitions: 2 });
  const logs: Log[] = [3e9, 7].map((base) => ({ base, rows: [], position: 0 }));
  const next = [0, 0, 0, 0];
  // Enough for every planted anomaly: four acknowledged records in place 0.
  const all: Step[] = [
    { do: 'send', writer: 0, place: 0, count: 4, fate: 'ok' },
    ...steps,
    { do: 'send', writer: 1, place: 0, count: 1, fate: 'ok' },
  ];
  for (const one of all) {
    const log = logs[one.place] as Log;
    if (one.do === 'poll') {
      const to = Math.min(log.rows.length, log.position + one.most);
      if (to > log.position) history.poll(runs(log, log.position, to), { place: one.place });
      log.position = to;
      continue;
    }
    const { writer, place, count, fate } = one;
    const first = next[writer * 2 + place] as number;
    next[writer * 2 + place] = first + count;
    const type = fate === 'lost' || fate === 'late' ? 'info' : fate;
    history.send(type, log.base + log.rows.length, first, count, { writer, place });
    if (fate !== 'ok' && fate !== 'late') continue;
    for (let index = 0; index < count; index++) log.rows.push({ writer, sequence: first + index });
  }
  for (const [place, log] of logs.entries()) {
    if (place === 0) finally_(log.rows);
    const { base, rows } = log;
    history.final(runs(log, 0, rows.length), base, base + rows.length, { place });
  }
  return history;
}

function kinds(history: HistoryWriter): string[] {
  return checkHistory(CHECKERS, history.entries).anomalies.map(({ kind }) => kind);
}

const steps = array(step, { maxLength: 60 });

test('a history of a correct log is valid', () => {
  holds(
    property(steps, (given) => {
      const verdict = checkHistory(CHECKERS, play(given).entries);
      assert.deepEqual([verdict.verdict, verdict.reasons], ['valid', []]);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

const PLANTED: Record<string, Change> = {
  // The record at offset 1 is replaced by a copy of another: it is gone, the other is there twice.
  duplicate: (rows) => {
    rows[1] = { ...(rows[0] as Log['rows'][number]) };
  },
  inconsistentOffsets: (rows) => {
    const [first, second] = [rows[0], rows[1]] as [Log['rows'][number], Log['rows'][number]];
    rows[0] = second;
    rows[1] = first;
  },
  unseen: (rows) => {
    rows.length -= 1;
  },
  phantom: (rows) => {
    rows.push({ writer: 1, sequence: 100_000 });
  },
};

for (const [kind, change] of Object.entries(PLANTED)) {
  test(`a planted ${kind} is named`, () => {
    holds(
      property(steps, (given) => {
        // The last record must not have been read by the tail, or it would be `vanished`.
        const quiet = given.filter((one) => one.do === 'send');
        assert.ok(kinds(play(quiet, change)).includes(kind));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
}

test('a planted lost write is named, read by the tail or not', () => {
  holds(
    property(steps, (given) => {
      const history = play(given);
      // Nobody ever reads offset base + 1 of place 0.
      for (const entry of history.entries) {
        if (entry.type === 'header' || entry.f !== 'poll' || entry.value === undefined) continue;
        if (entry.value.topicPartition !== 0) continue;
        entry.value.runs = entry.value.runs.flatMap(([offset, writer, first, count]): Run[] => {
          const at = 3e9 + 1 - offset;
          if (at < 0 || at >= count) return [[offset, writer, first, count]];
          const before: Run = [offset, writer, first, at];
          const after: Run = [offset + at + 1, writer, first + at + 1, count - at - 1];
          return [before, after].filter((run) => run[3] > 0);
        });
      }
      assert.deepEqual(kinds(history), ['lostWrite']);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('a planted record that vanishes is named', () => {
  holds(
    property(steps, (given) => {
      const read: Step[] = [...given, { do: 'poll', place: 0, most: 10_000 }];
      const gone: Change = (rows) => {
        rows.splice(rows.length - 2, 1);
      };
      assert.ok(kinds(play(read, gone)).includes('vanished'));
    }),
    { seed: SEED, numRuns: 200 },
  );
});
