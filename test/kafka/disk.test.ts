import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { RunResult } from '../../src/cli/run-result.ts';
import { kindNamed } from '../../src/core/faults/registry.ts';
import { BrokerOnDisk } from '../support/broker-on-disk.ts';
import { testLabName, withLab } from '../support/lab.ts';
import { ROOT } from '../support/needs.ts';
import { TestTransactions } from '../support/transactions.ts';
import { until } from '../support/until.ts';

const TOPIC = 'records';
/** Small, so that a few records fill one: that is when a broker syncs and snapshots. */
const SEGMENT_BYTES = 1 << 20;
const RECORD_BYTES = 20_000;

interface Case {
  kind: string;
  params: Record<string, unknown>;
  /** What makes the broker touch such a file. */
  touch: (broker: BrokerOnDisk, topicPartition: number) => Promise<unknown>;
  /** A SIGBUS in any thread: nobody can say what still works. */
  broken?: true;
  /** What the failed sync had not made durable is gone: that is the fault. */
  loses?: true;
}

/** Sends until a segment is full and its successor begun; what was acknowledged. */
async function fillSegment(broker: BrokerOnDisk, topicPartition: number): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let index = 0; index < SEGMENT_BYTES / RECORD_BYTES + 5; index++) {
    const text = `record ${Date.now()}-${index}`;
    const said = await broker.send(TOPIC, topicPartition, text, RECORD_BYTES);
    if (said === 'ok') acknowledged.push(text);
    else if (index > 2) break;
  }
  return acknowledged;
}

const abort = async (broker: BrokerOnDisk, topicPartition: number): Promise<void> => {
  const writer = await TestTransactions.open(broker.connections, `test-${Date.now()}`);
  await writer.write(TOPIC, topicPartition, 'aborted', false);
};

const error = (preset: string, ...op: string[]): Pick<Case, 'kind' | 'params'> => ({
  kind: 'disk.error',
  params: { errno: 'EIO', preset, match: { op } },
});

/** What `takesLogDirectory` says of each is what the broker must have done. */
const CASES: Case[] = [
  { ...error('log', 'write'), touch: fillSegment },
  { ...error('log', 'fsync'), touch: fillSegment },
  { ...error('log', 'read'), touch: (broker, at) => broker.readAll(TOPIC, at) },
  // Every append writes to both, by mapped memory.
  { ...error('index', 'read'), touch: fillSegment, broken: true },
  { ...error('timeindex', 'read'), touch: fillSegment, broken: true },
  { ...error('timeindex', 'write', 'fsync'), touch: fillSegment },
  { ...error('snapshots', 'mutate', 'sync'), touch: fillSegment },
  { ...error('txnindex', 'mutate', 'sync'), touch: abort },
  { ...error('checkpoints', 'mutate', 'sync'), touch: fillSegment },
  { kind: 'disk.readonly', params: {}, touch: fillSegment },
  { kind: 'disk.full', params: {}, touch: fillSegment },
  // Appends fail otherwise, with UNKNOWN_SERVER_ERROR: it is a checkpoint that takes it offline.
  { kind: 'disk.gone', params: {}, touch: fillSegment },
  { kind: 'disk.delay', params: { latency: { fixed: '20ms' } }, touch: fillSegment },
  { kind: 'disk.fsync', params: { how: 'fails', preset: 'log' }, touch: fillSegment, loses: true },
];

withLab(
  { name: testLabName('presets'), brokers: 1, clients: 0, disks: 2, coordinator: false },
  (lab) => {
    let broker: BrokerOnDisk;
    /** A topic-partition on the file system, and one beside it. */
    let on: number;
    let off: number;
    const acknowledged: string[] = [];

    before(async () => {
      broker = new BrokerOnDisk(lab(), 'n1');
      await broker.topic(TOPIC, 4, { 'segment.bytes': String(SEGMENT_BYTES) });
      on = broker.in('data', TOPIC)[0] ?? -1;
      off = broker.in('plain', TOPIC)[0] ?? -1;
      assert.ok(on >= 0 && off >= 0);
    });
    after(() => broker.disconnect());

    test('produced, killed, started: all of it is there, and nothing else', async () => {
      acknowledged.push(...(await fillSegment(broker, on)));
      assert.ok(acknowledged.length > 50);
      await broker.restart(TOPIC);
      assert.deepEqual(await broker.readAll(TOPIC, on), acknowledged);
    });

    for (const { kind, params, touch, broken, loses } of CASES) {
      const offline = kindNamed(kind)?.takesLogDirectory?.(params) === true;
      const what = offline ? 'offline until it is started again' : 'online';
      test(`${kind} ${JSON.stringify(params)}: the log directory is ${what}`, async () => {
        const fault = await broker.fault(kind, params);
        // It may fail in any way: that is what the fault is for.
        const touched = touch(broker, on).catch(() => undefined);
        try {
          if (offline) {
            await until('it has no leader', async () => (await broker.leaders(TOPIC))[on] === -1);
            await touched;
            assert.equal(await broker.send(TOPIC, off, 'beside it'), 'ok');
          }
          await until('the fault is seen', () => fault.seen());
          await fault.end();
          if (broken !== true) {
            const leader = (await broker.leaders(TOPIC))[on] ?? -1;
            assert.equal(leader >= 0, !offline, `leader ${leader}`);
          }
        } finally {
          await fault.end();
          await broker.restart(TOPIC);
          // A broken broker lets its clients wait; and what still sends must not meet what reads next.
          await touched;
        }
        if (loses === true) return;
        const there = new Set(await broker.readAll(TOPIC, on));
        assert.deepEqual(
          acknowledged.filter((text) => !there.has(text)),
          [],
        );
      });
    }
  },
);

const directory = mkdtempSync(join(tmpdir(), 'faultline-disk-runs-'));
after(() => rmSync(directory, { recursive: true }));

withLab({ name: testLabName('powercut') }, (lab) => {
  async function run(scenario: string): Promise<RunResult> {
    const { coordinator } = lab();
    assert.ok(coordinator);
    const access = ['--coordinator', coordinator.url, '--token-file', coordinator.tokenFile];
    const out = join(directory, scenario);
    const words = ['run', `scenarios/${scenario}.yaml`, '--seed', '1', '--out', out, '--json'];
    const child = spawn(join(ROOT, 'faultline'), [...words, ...access], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(child, 'exit');
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as RunResult;
  }

  suite('power cuts', () => {
    test('of one broker of three: nothing is lost', { timeout: 200_000 }, async () => {
      const result = await run('power-cut-one');
      assert.equal(result.verdict, 'valid', JSON.stringify(result.reasons));
      assert.deepEqual(
        result.faults.map(({ effect, endedBy }) => [effect, endedBy]),
        [['seen', 'deadline']],
      );
      assert.equal(result.read, result.acknowledged);
    });

    test('of all brokers: acknowledged records are lost', { timeout: 200_000 }, async () => {
      const result = await run('unsafe-power-cut');
      assert.equal(result.verdict, 'invalid', JSON.stringify(result.reasons));
      assert.match(result.reasons.join(), /lostWrite|unseen|vanished/);
    });
  });
});
