import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LogParameters } from '../../src/core/workloads/log.ts';
import { placeOf } from '../../src/host/lab/place.ts';
import { askInit } from '../../src/host/lab/requests.ts';
import { checkHistoryFile } from '../../src/host/workload/check-file.ts';
import {
  adoptWorkload,
  readStatus,
  sendWorkload,
  startWorkload,
} from '../../src/host/workload/supervise.ts';
import { withLab } from '../support/lab.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

const base = mkdtempSync(join(tmpdir(), 'faultline-log-'));
after(() => rmSync(base, { recursive: true, force: true }));

const minutes = { timeoutMs: 60_000 };

function begin(bootstrap: string, run: string, params: LogParameters): string {
  const directory = join(base, run);
  startWorkload({ kind: 'log', run, kafka: { bootstrap }, params }, directory);
  return directory;
}

async function acknowledged(directory: string, count: number): Promise<void> {
  await until(
    `${count} records acknowledged`,
    () => (readStatus(directory)?.acknowledged ?? 0) >= count,
    minutes,
  );
}

/** Ends the load, reads everything, closes. @returns the last status. */
async function finish(directory: string) {
  sendWorkload(directory, { command: 'stop' });
  sendWorkload(directory, { command: 'finalRead' });
  sendWorkload(directory, { command: 'close', compress: true });
  await until('its end', () => adoptWorkload(directory)?.alive === false, { timeoutMs: 120_000 });
  const status = readStatus(directory);
  assert.equal(status?.phase, 'closed', status?.error);
  return status;
}

withLab({ brokers: 3, agents: false, coordinator: false }, (lab) => {
  test('20,000 records a second are held, and the client is not the bottleneck', async (t) => {
    const directory = begin(lab().bootstrap, 'fast', { rate: 20_000 });
    await acknowledged(directory, 160_000);
    const status = readStatus(directory);
    t.diagnostic(`client: ${status?.cpuPercent}% of one core, ${status?.residentMb} MB resident`);
    t.diagnostic(`latency in ms: ${JSON.stringify(status?.latencyMs)}`);
    // Open loop: what is due is offered whatever the cluster does, so a backlog would show here.
    const backlog = (status?.offered ?? 0) - (status?.acknowledged ?? 0);
    assert.ok(backlog < 20_000, `${backlog} records behind the timetable`);
    const last = await finish(directory);
    assert.deepEqual([last.acknowledged, last.failed, last.unknown], [last.offered, 0, 0]);
    const verdict = await checkHistoryFile(join(directory, 'history.jsonl.zst'));
    assert.deepEqual([verdict.verdict, verdict.reasons], ['valid', []]);
    assert.equal(verdict.counts.acknowledged, last.acknowledged);
    assert.equal(verdict.counts.read, last.acknowledged);
  });

  test('acks=all: a broker killed with SIGKILL loses nothing', async () => {
    const { bootstrap, name } = lab();
    const directory = begin(bootstrap, 'killed', { rate: 2_000 });
    await acknowledged(directory, 4_000);
    await askInit(placeOf(name), 'n2', 'kill', 'broker');
    const killedAt = readStatus(directory)?.acknowledged ?? 0;
    await acknowledged(directory, killedAt + 20_000);
    await askInit(placeOf(name), 'n2', 'start', 'broker');
    await acknowledged(directory, killedAt + 30_000);
    const last = await finish(directory);
    const verdict = await checkHistoryFile(join(directory, 'history.jsonl.zst'));
    assert.deepEqual([verdict.verdict, verdict.reasons], ['valid', []]);
    assert.equal(verdict.counts.acknowledged, last.acknowledged);
    assert.ok(verdict.availability.longestSendMs > 0, 'the death of a broker was noticed');
  });

  test('acks=0: nothing is acknowledged, so nothing is proved', async () => {
    const directory = begin(lab().bootstrap, 'blind', { rate: 500, acks: '0' });
    await until('rows', () => (readStatus(directory)?.read ?? 0) > 500, minutes);
    const last = await finish(directory);
    assert.deepEqual([last.acknowledged, last.unknown > 500], [0, true]);
    const verdict = await checkHistoryFile(join(directory, 'history.jsonl.zst'));
    assert.equal(verdict.verdict, 'unknown');
  });

  test('a full disk fails the workload, and says so', { skip: lacks('root') }, async () => {
    const directory = join(base, 'full');
    mkdirSync(directory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', directory]);
    try {
      begin(lab().bootstrap, 'full', { rate: 2_000 });
      await until('its end', () => adoptWorkload(directory)?.alive === false, minutes);
      const status = readStatus(directory);
      assert.equal(status?.phase, 'failed');
    } finally {
      // The kernel lets go of a dead process's files a moment after it is seen dead.
      await until('the small disk is free', () => spawnSync('umount', [directory]).status === 0);
    }
  });
});
