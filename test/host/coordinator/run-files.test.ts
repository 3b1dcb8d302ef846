import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import type { ClusterSnapshot } from '../../../src/core/model/topology.ts';
import { judge } from '../../../src/host/coordinator/judge.ts';
import { RunFiles } from '../../../src/host/coordinator/run-files.ts';
import { wholeness } from '../../../src/host/coordinator/run-view.ts';

const HEADER = {
  type: 'header',
  version: 1,
  workload: 'log',
  run: 'r',
  topics: [{ name: 't', topicPartitions: 1 }],
  writers: 1,
  readers: 1,
  acks: 'all',
  idempotence: true,
  clock: { monotonicNs: 1_000, wallMs: 50_000 },
  parameters: {},
};

const note = (timeNs: number) => ({
  type: 'info',
  f: 'note',
  index: 0,
  process: 0,
  timeNs,
  note: 'x',
});

describe('the files of a run', () => {
  const state = mkdtempSync(join(tmpdir(), 'faultline-runs-'));
  after(() => rmSync(state, { recursive: true }));

  test('the timeline keeps the order of the calls, and outlives a torn line', async () => {
    const files = new RunFiles(state, 'timeline');
    await Promise.all([1, 2, 3].map((at) => files.note({ at, entry: 'phase', phase: 'faults' })));
    writeFileSync(files.timeline, '{"at":4,"entr', { flag: 'a' });
    const entries = [];
    for await (const entry of files.entries()) entries.push((entry as { at: number }).at);
    assert.deepEqual(entries, [1, 2, 3]);
  });

  test('faults are merged into the history by time, in the clock of the history', async () => {
    const files = new RunFiles(state, 'merge');
    const lines = [HEADER, note(1_500), note(2_001_500), note(9_000_000_000)];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await files.keep(Readable.from([text]), files.fetched);
    const faults = [
      { id: 'a', kind: 'noop', targets: ['n1'], beganMs: 50_001, endedMs: 50_004 },
      { id: 'b', kind: 'noop', targets: ['n2'], beganMs: 90_000 },
    ];
    await files.mergeFaults(faults, 0);
    const merged = readFileSync(files.history, 'utf8').trim().split('\n');
    const brief = merged.map((line) => {
      const entry = JSON.parse(line) as {
        f?: string;
        event?: string;
        id?: string;
        timeNs?: number;
      };
      return entry.f === 'fault' ? `${entry.id} ${entry.event}` : (entry.timeNs ?? 'header');
    });
    assert.deepEqual(brief, [
      'header',
      1_500,
      'a begin',
      2_001_500,
      'a end',
      9_000_000_000,
      'b begin',
    ]);
  });

  test('a history that is none is judged unknown, with the reason', async () => {
    const verdict = await judge(join(state, 'nowhere.jsonl'), undefined);
    assert.equal(verdict.verdict, 'unknown');
    assert.match(verdict.reasons[0] ?? '', /nowhere\.jsonl/);
  });
});

describe('whether the cluster is whole', () => {
  const snapshot = (isr: number[], leader: number, error?: string): ClusterSnapshot => ({
    takenAtMs: 10_000,
    brokers: [],
    topicPartitions: [
      { topic: 't', partition: 0, leader, leaderEpoch: 1, replicas: [1, 2, 3], isr },
      { topic: 'other', partition: 0, leader: -1, leaderEpoch: 1, replicas: [1], isr: [] },
    ],
    activeController: 1,
    voters: [],
    ...(error === undefined ? {} : { error }),
  });

  test('leaders and replicas of the topic that is watched, seen lately', () => {
    assert.equal(wholeness(snapshot([1, 2, 3], 1), 't', 10_500).whole, true);
    assert.equal(wholeness(snapshot([1, 2], 1), 't', 10_500).whole, false);
    assert.equal(wholeness(snapshot([1, 2, 3], -1), 't', 10_500).whole, false);
    assert.equal(wholeness(snapshot([1, 2, 3], 1), 't', 20_000).whole, false);
    assert.equal(wholeness(snapshot([1, 2, 3], 1, 'unreachable'), 't', 10_500).whole, false);
    assert.equal(wholeness(snapshot([1, 2, 3], 1), 'missing', 10_500).whole, false);
    // Without a topic everything that is seen counts.
    assert.equal(wholeness(snapshot([1, 2, 3], 1), undefined, 10_500).whole, false);
    assert.equal(wholeness(undefined, 't', 10_500).whole, true);
  });
});
